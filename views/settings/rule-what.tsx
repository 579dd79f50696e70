/** The first part of a rule's editor: its name, and what has to happen in Pipedrive. */

import type { VNode } from 'preact';
import { errorAt, Field, TextField } from '../form';
import { ON_CHANGE } from './condition-requests';
import { PickMany } from './pick-many';
import { RULE_LABELS } from './rule-labels';
import type { RuleFormView } from './rule-view';

export function RuleWhat({ view: { values, events, kinds, dealFields, refusal } }: { readonly view: RuleFormView }): VNode {
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
          <select id={RULE_LABELS.eventType.id} name="eventType" {...ON_CHANGE}>
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
        <div class="only-kinds" data-event={eventType} hidden={eventType !== values.eventType}>
          <noscript>
            <p class="hint">When the event is “{events.find(({ value }) => value === eventType)?.label}”:</p>
          </noscript>
          <PickMany
            id={`kinds-${eventType.replace('.', '-')}`}
            label="Only these kinds"
            name={`kinds:${eventType}`}
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
