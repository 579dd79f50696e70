/** The last part of a rule's editor: when it is told, and what follows from it. */

import type { VNode } from 'preact';
import { CheckField, errorAt, SelectField, TextField } from '../form';
import { RULE_LABELS } from './rule-labels';
import type { RuleFormView } from './rule-view';

export function RuleWhen({ view: { values, usualWait, refusal } }: { readonly view: RuleFormView }): VNode {
  return (
    <section class="card">
      <h2>When</h2>
      <div class="columns">
        <SelectField
          {...RULE_LABELS.urgent}
          name="timing"
          value={values.timing}
          options={[
            { value: 'at once', label: 'At once, not in quiet hours' },
            { value: 'urgent', label: 'At once, even in quiet hours' },
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
          hint="Edits within this time go into one message; what is undone in time is not posted."
          error={errorAt(refusal, 'settleMs')}
        />
      </div>
      <CheckField
        id="rule-stop"
        label="Stop here"
        name="stopAfter"
        value="yes"
        checked={values.stopAfter}
        hint="When this rule posts an event, rules below it do not post it again in the same space."
      />
      <CheckField id="rule-on" label="Enabled" name="enabled" value="yes" checked={values.enabled} />
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
