/** Everything about one space that can be set, tried and ended. */

import type { VNode } from 'preact';
import { Back, Badge } from '../components';
import { CheckField, errorAt, PageForm, RefusalBox, SelectField, TextField, type Option, type Refusal } from '../form';
import { pageUrl } from '../shell';
import { QuietHours, type QuietHoursView } from './quiet-hours';
import { SPACE_LABELS } from './space-labels';
import type { SpaceView } from './spaces';
import { TestResult, type TestView } from './test-result';

export interface SpaceFormView {
  readonly space: SpaceView;
  readonly name: string;
  readonly threads: boolean;
  readonly fold: boolean;
  readonly foldThreshold: string;
  readonly fallback: string;
  readonly holdHours: string;
  readonly otherSpaces: readonly Option[];
  readonly timeZone: string;
  readonly locale: string;
  readonly quiet: QuietHoursView;
  /** What stands when nothing is chosen: "Europe/Berlin". */
  readonly companyTimeZone: string;
  readonly companyLanguage: string;
  readonly timeZones: readonly string[];
  readonly locales: readonly Option[];
  readonly canChange: boolean;
  readonly refusal: Refusal | null;
  readonly test: TestView | null;
  /** The rules that post here, by name. */
  readonly rules: readonly string[];
  /** "3 records are watched here."; null when none is. */
  readonly watched: string | null;
}

/** Everything about one space. */
export function SpaceSettings(view: SpaceFormView): VNode {
  const { space, canChange, refusal } = view;
  return (
    <>
      <Back to={pageUrl('spaces')} />
      <div class="page-head">
        <h1>{space.name}</h1>
        <Badge text={space.state} tone={space.tone} />
      </div>
      <p class={space.tone === 'bad' ? 'problem' : 'quiet'}>{space.reason}</p>
      <RefusalBox refusal={refusal} labels={SPACE_LABELS} />
      <fieldset class="bare" disabled={!canChange}>
        <legend class="visually-hidden">Settings of {space.name}</legend>
        <PageForm id="settings-form" action={pageUrl('spaces', space.id)}>
          <section class="card" aria-labelledby="general">
            <h2 id="general">General</h2>
            <TextField
              {...SPACE_LABELS.name}
              name="name"
              value={view.name}
              required
              maxLength={100}
              error={errorAt(refusal, 'name')}
            />
            <div class="columns">
              <SelectField
                {...SPACE_LABELS.locale}
                name="locale"
                value={view.locale}
                options={[{ value: '', label: `Default: ${view.companyLanguage} (from the company)` }, ...view.locales]}
                hint="For numbers and dates in the messages."
                error={errorAt(refusal, 'locale')}
              />
              <TextField
                {...SPACE_LABELS.timeZone}
                name="timeZone"
                value={view.timeZone}
                placeholder={view.companyTimeZone}
                list="time-zones"
                hint={`Default: ${view.companyTimeZone} (from the company)`}
                error={errorAt(refusal, 'timeZone')}
              />
              <datalist id="time-zones">
                {view.timeZones.map((zone) => (
                  <option value={zone} />
                ))}
              </datalist>
            </div>
          </section>
          <section class="card" aria-labelledby="messages">
            <h2 id="messages">Messages</h2>
            <CheckField
              id="space-threads"
              name="threads"
              value="perRecord"
              checked={view.threads}
              label="One thread per deal"
              hint="Everything about a deal goes into the thread of its first message."
            />
            <CheckField
              id="space-fold"
              name="fold"
              value="auto"
              checked={view.fold}
              label="Combine bursts into one message"
              hint="When somebody changes many deals at once, the space gets a summary instead of a message for each."
            />
            <div class="columns narrow">
              <TextField
                {...SPACE_LABELS.foldThreshold}
                name="foldThreshold"
                type="number"
                min={1}
                value={view.foldThreshold}
                placeholder="10"
                hint="More than these become one. Default: 10"
                error={errorAt(refusal, 'foldThreshold')}
              />
            </div>
          </section>
          <QuietHours quiet={view.quiet} refusal={refusal} />
          <section class="card" aria-labelledby="trouble-settings">
            <h2 id="trouble-settings">If delivery fails</h2>
            <div class="columns">
              <SelectField
                {...SPACE_LABELS.fallbackWebhookId}
                name="fallback"
                value={view.fallback}
                options={[{ value: '', label: 'None: messages wait' }, ...view.otherSpaces]}
                error={errorAt(refusal, 'fallbackWebhookId')}
              />
              <TextField
                {...SPACE_LABELS.holdHours}
                name="holdHours"
                type="number"
                min={1}
                required
                value={view.holdHours}
                hint="Older messages are discarded, with the reason in Activity."
                error={errorAt(refusal, 'holdHours')}
              />
            </div>
          </section>
          <div class="actions">
            <button id="save-settings">Save changes</button>
          </div>
        </PageForm>
        <Connection view={view} />
      </fieldset>
    </>
  );
}

function Connection({ view: { space, test, rules, watched, canChange } }: { readonly view: SpaceFormView }): VNode {
  const silenced = rules.length === 0 ? 'No rule posts here.' : `These rules lose their space: ${rules.join(', ')}.`;
  const posts = rules.length === 0 ? silenced : `Rules that post here: ${rules.join(', ')}.`;
  const question = {
    title: `Delete ${space.name}?`,
    text: `${silenced}${watched === null ? '' : ` ${watched} They are no longer watched.`} Messages that still wait are discarded. The space in Google Chat stays as it is.`,
    ok: 'Delete space',
  };
  return (
    <section class="card" aria-labelledby="connection">
      <h2 id="connection">Connection</h2>
      <p class="quiet">
        {posts} {watched}
      </p>
      <p class="quiet">
        Google’s id of this space: <code>{space.spaceId}</code>
      </p>
      <TestResult test={test} />
      {canChange && (
        <div class="actions">
          <PageForm id="test-form" action={pageUrl('spaces', `${space.id}/test`)} inline>
            <input type="hidden" name="from" value="settings" />
            <button id="test-space" class="secondary">
              Send test card
            </button>
          </PageForm>
          <a id="replace-url" class="button secondary" href={pageUrl('spaces', `${space.id}/url`)}>
            Replace URL
          </a>
          <PageForm id="delete-form" action={pageUrl('spaces', `${space.id}/delete`)} question={question} inline>
            <button id="delete-space" class="danger">
              Delete space
            </button>
          </PageForm>
        </div>
      )}
    </section>
  );
}
