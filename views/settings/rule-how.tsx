/** The third part of a rule's editor: what is said and where, with the card as it would look. */

import type { VNode } from 'preact';
import { described, errorAt, Field, SelectField } from '../form';
import { PickMany } from './pick-many';
import { RULE_LABELS } from './rule-labels';
import { PreviewPane } from './rule-preview';
import type { RuleFormView } from './rule-view';

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

/** The card stands beside the fields that change its look. */
export function RuleHow({ view }: { readonly view: RuleFormView }): VNode {
  const { values, spaces, refusal } = view;
  const text = {
    ...RULE_LABELS.template,
    error: errorAt(refusal, 'template'),
    hint: 'Shown above the details (optional).',
  };
  return (
    <section class="card">
      <h2>Message</h2>
      <div class="said">
        <div>
          <div class="columns">
            <SelectField
              {...RULE_LABELS.targetWebhookIds}
              name="space"
              value={values.space}
              options={spaces.length === 0 ? [{ value: '', label: 'No space connected yet' }] : spaces}
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
                taken={{ id: RULE_LABELS.targetWebhookIds.id, value: mainSpace(view) }}
              />
            )}
          </div>
          <Field {...text}>
            <textarea id={text.id} name="template" rows={5} maxLength={4000} spellcheck={false} {...described(text)}>
              {values.template}
            </textarea>
          </Field>
          <details class="variables">
            <summary id="placeholders">Available placeholders</summary>
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
        </div>
        <PreviewPane view={view} />
      </div>
    </section>
  );
}

/** What stands chosen: the first, when what was chosen is no longer there. */
function mainSpace({ values, spaces }: RuleFormView): string {
  return spaces.some(({ value }) => value === values.space) ? values.space : (spaces[0]?.value ?? '');
}
