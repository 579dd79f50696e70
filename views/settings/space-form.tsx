/** Connecting a space, replacing its URL, and what can be set for it. */

import type { VNode } from 'preact';
import { Badge } from '../components';
import { CheckField, errorAt, PageForm, RefusalBox, SelectField, TextField, type Option, type Refusal } from '../form';
import { assetUrl } from '../../src/platform/asset-files';
import { pageUrl } from '../shell';
import type { SpaceView } from './spaces';

/** What came of a test card. */
export interface TestView {
  readonly isSent: boolean;
  readonly text: string;
}

export interface NewSpaceView {
  readonly name: string;
  readonly url: string;
  readonly refusal: Refusal | null;
  readonly test: TestView | null;
}

const LABELS = {
  name: { id: 'space-name', label: 'Name' },
  url: { id: 'space-url', label: 'Webhook URL' },
} as const;

/** Connecting a space, on the page of the spaces. */
export function NewSpace(view: NewSpaceView): VNode {
  return (
    <>
      <p class="crumbs">
        <a id="back" href={pageUrl('spaces')}>
          ← Back
        </a>
      </p>
      <h1>Add a space</h1>
      <div class="card">
        <ConnectSpace view={view} action={pageUrl('spaces', 'new')} testAction={pageUrl('spaces', 'try')} />
      </div>
    </>
  );
}

/** The form itself with the way to a webhook; the first run shows it too. */
export function ConnectSpace({
  view: { name, url, refusal, test },
  action,
  testAction,
}: {
  readonly view: NewSpaceView;
  readonly action: string;
  readonly testAction: string;
}): VNode {
  return (
    <div class="connect">
      <HowTo />
      <PageForm id="space-form" action={action}>
        <RefusalBox refusal={refusal} labels={LABELS} />
        <TextField
          {...LABELS.url}
          name="url"
          value={url}
          required
          maxLength={2000}
          placeholder="https://chat.googleapis.com/v1/spaces/…"
          hint="The link that Google Chat gave you. It is kept encrypted and never shown again."
          error={errorAt(refusal, 'url')}
        />
        <TextField
          {...LABELS.name}
          name="name"
          value={name}
          required
          maxLength={100}
          placeholder="Sales wins"
          hint="What you call this space; best the name it has in Google Chat."
          error={errorAt(refusal, 'name')}
        />
        <TestResult test={test} />
        <div class="actions">
          <button id="save-space">Save space</button>
          <button id="try-space" class="secondary" formaction={testAction}>
            Send test card
          </button>
        </div>
      </PageForm>
    </div>
  );
}

/** What came of a test, said to screen readers when it appears. */
export function TestResult({ test }: { readonly test: TestView | null }): VNode | null {
  if (test === null) return null;
  return (
    <p id="test-result" class={test.isSent ? 'result-good' : 'result-bad'} role="status">
      {test.text}
    </p>
  );
}

const STEPS = [
  {
    picture: 'images/webhook-1.svg',
    text: 'In Google Chat, open the space, click its name at the top and choose Apps & integrations.',
  },
  { picture: 'images/webhook-2.svg', text: 'Under Webhooks, choose Add webhook, name it Dealbell and save.' },
  { picture: 'images/webhook-3.svg', text: 'Click the three dots beside it, choose Copy link, and paste it here.' },
] as const;

function HowTo(): VNode {
  return (
    <ol class="howto" aria-label="How it is done in Google Chat">
      {STEPS.map(({ picture, text }) => (
        <li>
          <img src={assetUrl(picture)} alt="" width="240" height="132" />
          <span>{text}</span>
        </li>
      ))}
    </ol>
  );
}

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
  readonly quiet: {
    readonly from: string;
    readonly to: string;
    readonly mode: string;
    readonly days: readonly string[];
    readonly businessDays: readonly string[];
  };
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
}

const DAYS = [
  ['mon', 'Mon'],
  ['tue', 'Tue'],
  ['wed', 'Wed'],
  ['thu', 'Thu'],
  ['fri', 'Fri'],
  ['sat', 'Sat'],
  ['sun', 'Sun'],
] as const;
const SETTINGS_LABELS = {
  name: LABELS.name,
  timeZone: { id: 'space-zone', label: 'Time zone' },
  locale: { id: 'space-locale', label: 'Language' },
  foldThreshold: { id: 'fold-threshold', label: 'From how many messages at once' },
  fallbackWebhookId: { id: 'space-fallback', label: 'Goes instead to' },
  holdHours: { id: 'space-hold', label: 'Is kept for at most (hours)' },
  'quietHours.from': { id: 'quiet-from', label: 'Quiet from' },
  'quietHours.to': { id: 'quiet-to', label: 'Quiet until' },
  'quietHours.days': { id: 'quietDays-mon', label: 'Quiet hours begin on' },
  'quietHours.businessDays': { id: 'businessDays-mon', label: 'Working days' },
} as const;

/** Everything about one space. */
export function SpaceSettings(view: SpaceFormView): VNode {
  const { space, canChange, refusal } = view;
  return (
    <>
      <p class="crumbs">
        <a id="back" href={pageUrl('spaces')}>
          ← Back
        </a>
      </p>
      <div class="page-head">
        <h1>{space.name}</h1>
        <Badge text={space.state} tone={space.tone} />
      </div>
      <p class={space.tone === 'bad' ? 'problem' : 'quiet'}>{space.reason}</p>
      <RefusalBox refusal={refusal} labels={SETTINGS_LABELS} />
      <fieldset class="bare" disabled={!canChange}>
        <legend class="visually-hidden">Settings of {space.name}</legend>
        <PageForm id="settings-form" action={pageUrl('spaces', space.id)}>
          <section class="card" aria-labelledby="general">
            <h2 id="general">General</h2>
            <TextField {...LABELS.name} name="name" value={view.name} required maxLength={100} error={errorAt(refusal, 'name')} />
            <div class="columns">
              <SelectField
                {...SETTINGS_LABELS.locale}
                name="locale"
                value={view.locale}
                options={[{ value: '', label: `As the company: ${view.companyLanguage}` }, ...view.locales]}
                hint="For numbers and dates in the messages."
                error={errorAt(refusal, 'locale')}
              />
              <TextField
                {...SETTINGS_LABELS.timeZone}
                name="timeZone"
                value={view.timeZone}
                placeholder={view.companyTimeZone}
                list="time-zones"
                hint={`Empty: ${view.companyTimeZone}, as the company.`}
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
              hint="Everything about a deal is told in the thread of its first message."
            />
            <CheckField
              id="space-fold"
              name="fold"
              value="auto"
              checked={view.fold}
              label="Fold floods into one message"
              hint="When somebody changes many deals at once, the space gets a summary in place of a message for each."
            />
            <div class="columns narrow">
              <TextField
                {...SETTINGS_LABELS.foldThreshold}
                name="foldThreshold"
                type="number"
                min={1}
                value={view.foldThreshold}
                hint="Empty: more than Google Chat takes in ten seconds."
                error={errorAt(refusal, 'foldThreshold')}
              />
            </div>
          </section>
          <QuietHours view={view} />
          <section class="card" aria-labelledby="trouble-settings">
            <h2 id="trouble-settings">When Google Chat refuses what comes here</h2>
            <div class="columns">
              <SelectField
                {...SETTINGS_LABELS.fallbackWebhookId}
                name="fallback"
                value={view.fallback}
                options={[{ value: '', label: 'No other space: it waits' }, ...view.otherSpaces]}
                error={errorAt(refusal, 'fallbackWebhookId')}
              />
              <TextField
                {...SETTINGS_LABELS.holdHours}
                name="holdHours"
                type="number"
                min={1}
                required
                value={view.holdHours}
                hint="What waited longer is no news: it is dropped, with the reason on record."
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

function QuietHours({ view: { quiet, refusal } }: { readonly view: SpaceFormView }): VNode {
  return (
    <section class="card" aria-labelledby="quiet">
      <h2 id="quiet">Quiet hours</h2>
      <p class="quiet">Leave the times empty for none. A night may run over midnight.</p>
      <div class="columns narrow">
        <TextField
          {...SETTINGS_LABELS['quietHours.from']}
          name="quietFrom"
          type="time"
          value={quiet.from}
          error={errorAt(refusal, 'quietHours.from')}
        />
        <TextField
          {...SETTINGS_LABELS['quietHours.to']}
          name="quietTo"
          type="time"
          value={quiet.to}
          error={errorAt(refusal, 'quietHours.to')}
        />
        <SelectField
          id="quiet-mode"
          label="What comes then"
          name="quietMode"
          value={quiet.mode}
          options={[
            { value: 'hold', label: 'Waits until they end' },
            { value: 'drop', label: 'Is dropped' },
          ]}
        />
      </div>
      <Days legend="Quiet hours begin on" name="quietDays" chosen={quiet.days} error={errorAt(refusal, 'quietHours.days')} />
      <Days
        legend="Working days (on the others it is quiet all day)"
        name="businessDays"
        chosen={quiet.businessDays}
        error={errorAt(refusal, 'quietHours.businessDays')}
      />
    </section>
  );
}

function Days({
  legend,
  name,
  chosen,
  error,
}: {
  readonly legend: string;
  readonly name: string;
  readonly chosen: readonly string[];
  readonly error: string | undefined;
}): VNode {
  return (
    <fieldset class="days">
      <legend>{legend}</legend>
      {DAYS.map(([value, label]) => (
        <CheckField id={`${name}-${value}`} name={name} value={value} label={label} checked={chosen.includes(value)} />
      ))}
      {error !== undefined && <p class="field-error">{error}</p>}
    </fieldset>
  );
}

function Connection({ view: { space, test, rules, canChange } }: { readonly view: SpaceFormView }): VNode {
  const silenced = rules.length === 0 ? 'No rule posts here.' : `These rules post here and would lose it: ${rules.join(', ')}.`;
  const question = {
    title: `Delete ${space.name}?`,
    text: `${silenced} Messages that still wait are dropped. The space in Google Chat stays as it is.`,
    ok: 'Delete space',
  };
  return (
    <section class="card" aria-labelledby="connection">
      <h2 id="connection">Connection</h2>
      <p class="quiet">
        Google’s id of this space: <code>{space.spaceId}</code>. {silenced}
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

export interface ReplaceUrlView {
  readonly space: SpaceView;
  readonly url: string;
  readonly refusal: Refusal | null;
}

/** Repairing a space: the new webhook, and what happens with what waits. */
export function ReplaceUrl({ space, url, refusal }: ReplaceUrlView): VNode {
  return (
    <>
      <p class="crumbs">
        <a id="back" href={pageUrl('spaces', space.id)}>
          ← Back
        </a>
      </p>
      <h1>Replace the URL of {space.name}</h1>
      <p class={space.tone === 'bad' ? 'problem' : 'quiet'}>{space.reason}</p>
      <div class="card connect">
        <HowTo />
        <PageForm id="url-form" action={pageUrl('spaces', `${space.id}/url`)}>
          <RefusalBox refusal={refusal} labels={LABELS} />
          <TextField
            {...LABELS.url}
            name="url"
            value={url}
            required
            maxLength={2000}
            placeholder="https://chat.googleapis.com/v1/spaces/…"
            hint="Rules and settings stay. What waits for this space goes out at once, to the new URL."
            error={errorAt(refusal, 'url')}
          />
          <div class="actions">
            <button id="save-url">Replace URL</button>
            <a class="button secondary" href={pageUrl('spaces', space.id)}>
              Cancel
            </a>
          </div>
        </PageForm>
      </div>
    </>
  );
}
