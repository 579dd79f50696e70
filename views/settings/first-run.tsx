/** The first run: connect a space, answer three questions, and see the first card. It stands on the overview until it is done. */

import type { ComponentChildren, VNode } from 'preact';
import type { ChatMessage } from '../../src/core/chat-message';
import { CardPreview } from '../card-preview';
import { CheckField, errorAt, PageForm, RefusalBox, SelectField, TextField, type Option, type Refusal } from '../form';
import { pageUrl } from '../shell';
import { ConnectSpace, type NewSpaceView } from './space-connect';
import type { TestView } from './test-result';

const STEPS = ['Connect a space', 'Choose what to post', 'See the first card'] as const;

/** `current` counts from 1. */
function Steps({ current, children }: { readonly current: number; readonly children: ComponentChildren }): VNode {
  return (
    <section class="card first-run" aria-labelledby="first-run">
      <ol class="steps" aria-label="Set up Dealbell">
        {STEPS.map((step, index) => (
          <li aria-current={index + 1 === current ? 'step' : undefined} class={index + 1 < current ? 'done' : undefined}>
            {step}
            {index + 1 < current && <span class="visually-hidden"> (done)</span>}
          </li>
        ))}
      </ol>
      {children}
    </section>
  );
}

export function FirstSpace({ view }: { readonly view: NewSpaceView }): VNode {
  return (
    <Steps current={1}>
      <h2 id="first-run" data-step-heading="yes">
        Which Google Chat space should get deal updates?
      </h2>
      <ConnectSpace view={view} action={pageUrl('overview', 'space')} testAction={pageUrl('overview', 'try')} />
    </Steps>
  );
}

/** For people who cannot connect a space themselves. */
export function WaitingForAdmin(): VNode {
  return (
    <section class="empty">
      <h2>Nothing is set up yet</h2>
      <p>An admin of your Pipedrive company connects the first Google Chat space here; it takes two minutes.</p>
    </section>
  );
}

export interface QuestionsView {
  readonly spaces: readonly Option[];
  readonly winsSpace: string;
  readonly teamSpace: string;
  readonly amount: string;
  readonly currency: string;
  readonly currencies: readonly string[];
  readonly news: readonly { readonly key: string; readonly name: string; readonly isOn: boolean }[];
  readonly refusal: Refusal | null;
}

const LABELS = {
  winsSpace: { id: 'wins-space', label: 'Where should wins go?' },
  teamSpace: { id: 'team-space', label: 'Where should other updates go?' },
  amount: { id: 'big-amount', label: 'What counts as a big deal?' },
  currency: { id: 'big-currency', label: 'Currency' },
} as const;

export function Questions({ view }: { readonly view: QuestionsView }): VNode {
  const { refusal } = view;
  return (
    <Steps current={2}>
      <h2 id="first-run" data-step-heading="yes">
        What should we post, and where?
      </h2>
      <PageForm id="questions" action={pageUrl('overview', 'rules')}>
        <RefusalBox refusal={refusal} labels={LABELS} />
        <div class="columns">
          <SelectField
            {...LABELS.winsSpace}
            name="winsSpace"
            value={view.winsSpace}
            options={view.spaces}
            error={errorAt(refusal, 'winsSpace')}
          />
          <SelectField
            {...LABELS.teamSpace}
            name="teamSpace"
            value={view.teamSpace}
            options={[...view.spaces, { value: '', label: 'None for now' }]}
            error={errorAt(refusal, 'teamSpace')}
          />
        </div>
        <div class="money">
          <TextField
            {...LABELS.amount}
            name="amount"
            type="number"
            min={0}
            value={view.amount}
            required
            hint="Big wins are posted 45 seconds later, as the value is often set right after the win."
            error={errorAt(refusal, 'amount')}
          />
          <SelectField
            {...LABELS.currency}
            name="currency"
            value={view.currency}
            options={view.currencies.map((code) => ({ value: code, label: code }))}
            error={errorAt(refusal, 'currency')}
          />
        </div>
        <fieldset class="news">
          <legend>Other updates</legend>
          {view.news.map(({ key, name, isOn }) => (
            <CheckField id={`news-${key}`} name="news" value={key} label={name} checked={isOn} />
          ))}
        </fieldset>
        <div class="actions">
          <button id="save-first-rules">Turn on</button>
          <a id="another-space" class="button secondary" href={`${pageUrl('spaces', 'new')}?return=overview`}>
            Connect another space first
          </a>
        </div>
      </PageForm>
    </Steps>
  );
}

export interface DoneView {
  readonly tests: readonly { readonly space: string; readonly test: TestView }[];
  /** "7 rules are on". */
  readonly rules: string;
  /** The test, as the first space shows it. */
  readonly card: ChatMessage;
}

export function Done({ view: { tests, rules, card } }: { readonly view: DoneView }): VNode {
  const isSent = tests.every(({ test }) => test.isSent);
  return (
    <Steps current={3}>
      <h2 id="first-run" data-step-heading="yes">
        {isSent ? 'Done: we sent you a test' : 'Almost done: the test card did not arrive'}
      </h2>
      <ul class="plain">
        {tests.map(({ space, test }) => (
          <li class={test.isSent ? undefined : 'problem'}>
            <strong>{space}:</strong> {test.text}
          </li>
        ))}
      </ul>
      {isSent && (
        <div class="first-card" role="group" aria-label="The test card">
          <CardPreview message={card} />
        </div>
      )}
      <p>{rules}. From now on, new deal events are posted; earlier ones are not.</p>
      <div class="actions">
        <a id="to-overview" class="button" href={pageUrl('overview')}>
          Finish
        </a>
        <a id="to-rules" class="button secondary" href={pageUrl('rules')}>
          See what is posted
        </a>
      </div>
    </Steps>
  );
}
