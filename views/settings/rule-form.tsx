/** The editor of a rule: what it listens to, what it asks for, what it says and where. */

import type { VNode } from 'preact';
import {
  CheckField,
  described,
  errorAt,
  Field,
  PageForm,
  RefusalBox,
  SelectField,
  TextField,
  type Option,
  type Refusal,
} from '../form';
import { pageUrl } from '../shell';
import { Conditions, type ConditionsView } from './rule-conditions';
import { labelledRefusal, RULE_LABELS } from './rule-labels';
import { RulePreview, type RulePreviewView } from './rule-preview';
import type { TestView } from './space-form';

export interface PickGroup {
  /** The pipeline of these stages; null for a plain list. */
  readonly label: string | null;
  readonly options: readonly Option[];
}

export interface EventOption extends Option {
  /** What kind of record it is about: "Deals". */
  readonly group: string;
  /** Which groups of fields make sense for it. */
  readonly has: readonly string[];
}

export interface KindsView {
  readonly eventType: string;
  readonly kinds: readonly Option[];
}

export interface RuleFormView {
  /** Null: a rule that is not saved yet. */
  readonly ruleId: number | null;
  readonly title: string;
  /** The preset that filled the form, with what it leaves to decide. */
  readonly preset: { readonly key: string; readonly description: string; readonly questions: readonly string[] } | null;
  /** Pipedrive could not be asked for its lists: what that means. */
  readonly listTrouble: string | null;
  readonly canChange: boolean;
  readonly values: {
    readonly name: string;
    readonly eventType: string;
    readonly pipelines: readonly string[];
    readonly stages: readonly string[];
    readonly fromStages: readonly string[];
    readonly owners: readonly string[];
    readonly minValue: string;
    readonly currency: string;
    readonly crossing: boolean;
    readonly kinds: readonly string[];
    readonly fields: readonly string[];
    readonly space: string;
    readonly otherSpaces: readonly string[];
    readonly layout: string;
    readonly template: string;
    readonly wait: string;
    readonly stopAfter: boolean;
    readonly timing: string;
    readonly digestAt: string;
    readonly digestDay: string;
    readonly enabled: boolean;
  };
  readonly events: readonly EventOption[];
  readonly kinds: readonly KindsView[];
  readonly pipelines: readonly PickGroup[];
  readonly stages: readonly PickGroup[];
  readonly owners: readonly PickGroup[];
  readonly dealFields: readonly PickGroup[];
  readonly currencies: readonly Option[];
  readonly spaces: readonly Option[];
  readonly usualWait: string;
  readonly conditions: ConditionsView;
  readonly preview: RulePreviewView | null;
  readonly test: TestView | null;
  readonly refusal: Refusal | null;
}

export function RuleEditor({ view }: { readonly view: RuleFormView }): VNode {
  const { ruleId, title, preset, listTrouble, canChange, refusal } = view;
  const action = ruleId === null ? pageUrl('rules', 'new') : pageUrl('rules', ruleId);
  return (
    <>
      <p class="crumbs">
        <a id="back" href={pageUrl('rules')}>
          ← Back
        </a>
      </p>
      <h1>{title}</h1>
      {ruleId === null && <Beginning preset={preset} />}
      {listTrouble !== null && <p class="notice-box">{listTrouble}</p>}
      <PageForm id="rule-form" action={action}>
        <RefusalBox refusal={labelledRefusal(refusal)} labels={RULE_LABELS} />
        <fieldset class="bare" disabled={!canChange}>
          {ruleId !== null && <input type="hidden" name="ruleId" value={ruleId} />}
          {preset !== null && <input type="hidden" name="preset" value={preset.key} />}
          <button class="visually-hidden" tabIndex={-1} aria-hidden="true">
            Save
          </button>
          <What view={view} />
          <Which view={view} />
          <How view={view} />
          <When view={view} />
        </fieldset>
        <div id="preview" aria-live="polite">
          {view.preview !== null && <RulePreview view={view.preview} />}
        </div>
        {view.test !== null && (
          <p class={view.test.isSent ? 'result-good' : 'result-bad'} role="status">
            {view.test.text}
          </p>
        )}
        <div class="actions rule-actions">
          {canChange && <button id="save-rule">Save rule</button>}
          {canChange && (
            <button
              id="preview-rule"
              class="secondary"
              formaction={pageUrl('rules', 'preview')}
              hx-post={pageUrl('rules', 'preview/part')}
              hx-target="#preview"
              hx-swap="innerHTML"
            >
              Preview
            </button>
          )}
          {canChange && (
            <button id="test-rule" class="secondary" formaction={pageUrl('rules', 'test')}>
              Send test card
            </button>
          )}
          <a class="button secondary" href={pageUrl('rules')}>
            {canChange ? 'Cancel' : 'Close'}
          </a>
        </div>
      </PageForm>
    </>
  );
}

function Beginning({ preset }: Pick<RuleFormView, 'preset'>): VNode {
  if (preset === null) {
    return (
      <p class="quiet">
        Fill in what you want to hear of, or <a href={pageUrl('rules', 'presets')}>start from a ready-made rule</a>.
      </p>
    );
  }
  return (
    <div class="notice-box">
      <p>{preset.description}</p>
      {preset.questions.length > 0 && (
        <ul class="notes">
          {preset.questions.map((question) => (
            <li>{question}</li>
          ))}
        </ul>
      )}
    </div>
  );
}

function What({ view: { values, events, kinds, dealFields, refusal } }: { readonly view: RuleFormView }): VNode {
  const groups = [...new Set(events.map(({ group }) => group))];
  return (
    <section class="card">
      <h2>What happens in Pipedrive</h2>
      <div class="columns">
        <TextField
          {...RULE_LABELS.name}
          name="name"
          value={values.name}
          maxLength={100}
          placeholder="Big wins"
          error={errorAt(refusal, 'name')}
        />
        <Field {...RULE_LABELS.eventType} error={errorAt(refusal, 'eventType')}>
          <select
            id={RULE_LABELS.eventType.id}
            name="eventType"
            hx-post={pageUrl('rules', 'conditions')}
            hx-trigger="change"
            hx-target="#conditions"
            hx-swap="outerHTML"
            hx-sync="this:replace"
          >
            {groups.map((group) => (
              <optgroup label={group}>
                {events
                  .filter((event) => event.group === group)
                  .map(({ value, label, has }) => (
                    <option value={value} selected={value === values.eventType} data-has={has.join(' ')}>
                      {label}
                    </option>
                  ))}
              </optgroup>
            ))}
          </select>
        </Field>
      </div>
      {kinds.map(({ eventType, kinds: options }) => (
        <div class="only-kinds" data-event={eventType}>
          <PickMany
            id={`kinds-${eventType.replace('.', '-')}`}
            label="Only these kinds"
            name="kinds"
            chosen={eventType === values.eventType ? values.kinds : []}
            groups={[{ label: null, options }]}
            error={eventType === values.eventType ? errorAt(refusal, 'filters.kinds') : undefined}
          />
        </div>
      ))}
      <div class="only-fields">
        <PickMany
          {...RULE_LABELS['filters.fields']}
          name="fields"
          chosen={values.fields}
          groups={dealFields}
          error={errorAt(refusal, 'filters.fields')}
        />
      </div>
    </section>
  );
}

function Which({ view }: { readonly view: RuleFormView }): VNode {
  const { values, pipelines, stages, owners, currencies, refusal, conditions } = view;
  return (
    <section class="card">
      <h2>Which of them are told</h2>
      <p class="quiet">Nothing chosen in a list means all of it.</p>
      <div class="columns">
        <div class="only-place">
          <PickMany
            {...RULE_LABELS['filters.pipelineIds']}
            name="pipelines"
            chosen={values.pipelines}
            groups={pipelines}
            error={errorAt(refusal, 'filters.pipelineIds')}
          />
        </div>
        <div class="only-place">
          <PickMany
            {...RULE_LABELS['filters.stageIds']}
            name="stages"
            chosen={values.stages}
            groups={stages}
            error={errorAt(refusal, 'filters.stageIds')}
          />
        </div>
        <div class="only-from">
          <PickMany
            {...RULE_LABELS['filters.fromStageIds']}
            name="fromStages"
            chosen={values.fromStages}
            groups={stages}
            error={errorAt(refusal, 'filters.fromStageIds')}
          />
        </div>
        <PickMany
          {...RULE_LABELS['filters.ownerIds']}
          name="owners"
          chosen={values.owners}
          groups={owners}
          error={errorAt(refusal, 'filters.ownerIds')}
        />
        <div class="only-value money">
          <TextField
            {...RULE_LABELS['filters.minValue']}
            name="minValue"
            value={values.minValue}
            placeholder="10000"
            error={errorAt(refusal, 'filters.minValue')}
          />
          <SelectField
            {...RULE_LABELS['filters.currency']}
            name="currency"
            value={values.currency}
            options={currencies}
            error={errorAt(refusal, 'filters.currency')}
          />
        </div>
      </div>
      <div class="only-crossing">
        <CheckField
          {...RULE_LABELS['filters.crossing']}
          name="crossing"
          value="yes"
          checked={values.crossing}
          hint="Told when it rises from below the minimum, not at each edit above it."
        />
      </div>
      <Conditions view={conditions} />
    </section>
  );
}

const VARIABLES = [
  ['event.name', 'what happened'],
  ['event.time', 'when'],
  ['record.title', 'title of the deal'],
  ['record.value', 'amount with currency'],
  ['record.closeDate', 'expected close date'],
  ['record.lostReason', 'why it was lost'],
  ['record.url', 'link'],
  ['owner', 'who owns it'],
  ['actor', 'who did it'],
  ['stage', 'stage now'],
  ['pipeline', 'pipeline now'],
  ['person', 'contact person'],
  ['organization', 'organization'],
  ['from', 'before'],
  ['to', 'after'],
] as const;

function How({ view: { values, spaces, refusal } }: { readonly view: RuleFormView }): VNode {
  const text = {
    ...RULE_LABELS.template,
    error: errorAt(refusal, 'template'),
    hint: 'Stands in the card above the facts. Empty: none.',
  };
  return (
    <section class="card">
      <h2>What is said, and where</h2>
      <div class="columns">
        <SelectField
          {...RULE_LABELS.targetWebhookIds}
          name="space"
          value={values.space}
          options={spaces.length === 0 ? [{ value: '', label: 'None is connected yet' }] : spaces}
          error={errorAt(refusal, 'targetWebhookIds')}
        />
        <SelectField
          {...RULE_LABELS.templateMode}
          name="layout"
          value={values.layout}
          options={[
            { value: 'compact', label: 'Compact' },
            { value: 'detailed', label: 'Detailed' },
          ]}
          error={errorAt(refusal, 'templateMode')}
        />
        {spaces.length > 1 && (
          <PickMany
            id="rule-others"
            label="Also post to"
            name="otherSpaces"
            chosen={values.otherSpaces}
            groups={[{ label: null, options: spaces }]}
            error={undefined}
          />
        )}
      </div>
      <Field {...text}>
        <textarea id={text.id} name="template" rows={2} maxLength={4000} spellcheck={false} {...described(text)}>
          {values.template}
        </textarea>
      </Field>
      <details class="variables">
        <summary>What can stand in it</summary>
        <dl>
          {VARIABLES.map(([name, words]) => (
            <div>
              <dt>
                <code>{`{{ ${name} }}`}</code>
              </dt>
              <dd>{words}</dd>
            </div>
          ))}
        </dl>
        <p class="hint">
          Liquid works too: <code>{'{% if owner %}by {{ owner }}{% endif %}'}</code>. Bold is <code>{'<b>…</b>'}</code>.
        </p>
      </details>
    </section>
  );
}

function When({ view: { values, usualWait, refusal } }: { readonly view: RuleFormView }): VNode {
  return (
    <section class="card">
      <h2>When</h2>
      <div class="columns">
        <SelectField
          {...RULE_LABELS.urgent}
          name="timing"
          value={values.timing}
          options={[
            { value: 'at once', label: 'At once, after quiet hours' },
            { value: 'urgent', label: 'At once, in quiet hours too' },
            { value: 'day', label: 'In a daily digest' },
            { value: 'week', label: 'In a weekly digest' },
          ]}
          error={errorAt(refusal, 'urgent') ?? errorAt(refusal, 'digest')}
        />
        <div class="only-digest columns narrow">
          <TextField id="rule-digest-at" label="Digest at" name="digestAt" type="time" value={values.digestAt} />
          <div class="only-weekly">
            <SelectField
              id="rule-digest-day"
              label="Digest on"
              name="digestDay"
              value={values.digestDay}
              options={WEEK.map(([value, label]) => ({ value, label }))}
            />
          </div>
        </div>
        <TextField
          {...RULE_LABELS.settleMs}
          name="wait"
          value={values.wait}
          placeholder={usualWait}
          hint="Edits within this time are told in one message, and what is taken back is not told."
          error={errorAt(refusal, 'settleMs')}
        />
      </div>
      <CheckField
        id="rule-stop"
        label="Ends the matter"
        name="stopAfter"
        value="yes"
        checked={values.stopAfter}
        hint="Rules below this one stay silent when it tells something."
      />
      <CheckField id="rule-on" label="Switched on" name="enabled" value="yes" checked={values.enabled} />
    </section>
  );
}

const WEEK = [
  ['mon', 'Monday'],
  ['tue', 'Tuesday'],
  ['wed', 'Wednesday'],
  ['thu', 'Thursday'],
  ['fri', 'Friday'],
  ['sat', 'Saturday'],
  ['sun', 'Sunday'],
] as const;

const MOST_ROWS = 6;

/** Any number out of a list. What was chosen and is gone at Pipedrive stays, so that saving does not change it unseen. */
function PickMany({
  id,
  label,
  name,
  chosen,
  groups,
  error,
}: {
  readonly id: string;
  readonly label: string;
  readonly name: string;
  readonly chosen: readonly string[];
  readonly groups: readonly PickGroup[];
  readonly error: string | undefined;
}): VNode {
  const known = new Set(groups.flatMap(({ options }) => options.map(({ value }) => value)));
  const gone = chosen.filter((value) => !known.has(value)).map((value) => ({ value, label: `no longer there (${value})` }));
  const all = gone.length === 0 ? groups : [...groups, { label: null, options: gone }];
  const rows = all.reduce((sum, { label: heading, options }) => sum + options.length + (heading === null ? 0 : 1), 0);
  return (
    <Field id={id} label={label} error={error}>
      <select id={id} name={name} multiple size={Math.max(2, Math.min(rows, MOST_ROWS))} {...described({ id, error })}>
        {all.map(({ label: heading, options }) =>
          heading === null ? (
            <Options options={options} chosen={chosen} />
          ) : (
            <optgroup label={heading}>
              <Options options={options} chosen={chosen} />
            </optgroup>
          ),
        )}
      </select>
    </Field>
  );
}

function Options({ options, chosen }: { readonly options: readonly Option[]; readonly chosen: readonly string[] }): VNode {
  return (
    <>
      {options.map(({ value, label }) => (
        <option value={value} selected={chosen.includes(value)}>
          {label}
        </option>
      ))}
    </>
  );
}
