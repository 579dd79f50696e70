/** The second part of a rule's editor: which of the events are told. */

import type { VNode } from 'preact';
import { CheckField, errorAt, SelectField, TextField } from '../form';
import { PickMany } from './pick-many';
import { Conditions } from './rule-conditions';
import { RULE_LABELS } from './rule-labels';
import type { RuleFormView } from './rule-view';

export function RuleWhich({ view }: { readonly view: RuleFormView }): VNode {
  const { values, pipelines, stages, owners, currencies, refusal, conditions } = view;
  return (
    <section class="card">
      <h2>Only when</h2>
      <p class="quiet">Choose none to include all.</p>
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
          hint="Posted when the value rises from below the minimum, not at each edit above it."
        />
      </div>
      <Conditions view={conditions} />
    </section>
  );
}
