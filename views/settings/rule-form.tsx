/** The editor of a rule as a page: its parts, its buttons, and what it begins with. */

import type { VNode } from 'preact';
import { Back } from '../components';
import { PageForm, RefusalBox } from '../form';
import { pageUrl } from '../shell';
import { labelledRefusal, RULE_LABELS } from './rule-labels';
import { RuleHow } from './rule-how';
import { PreviewButton } from './rule-preview';
import type { RuleFormView } from './rule-view';
import { RuleWhat } from './rule-what';
import { RuleWhen } from './rule-when';
import { RuleWhich } from './rule-which';
import { TestResult } from './test-result';

export function RuleEditor({ view }: { readonly view: RuleFormView }): VNode {
  const { ruleId, title, preset, listTrouble, canChange, refusal } = view;
  const action = ruleId === null ? pageUrl('rules', 'new') : pageUrl('rules', ruleId);
  return (
    <>
      <Back to={pageUrl('rules')} />
      <h1>{title}</h1>
      {ruleId === null && <Beginning preset={preset} />}
      {listTrouble !== null && <p class="notice-box">{listTrouble}</p>}
      <PageForm id="rule-form" action={action}>
        <RefusalBox refusal={labelledRefusal(refusal)} labels={{ ...RULE_LABELS, ...view.conditionLabels }} />
        {ruleId !== null && <input type="hidden" name="ruleId" value={ruleId} />}
        <fieldset class="bare" disabled={!canChange}>
          {preset !== null && <input type="hidden" name="preset" value={preset.key} />}
          <button class="visually-hidden" tabIndex={-1} aria-hidden="true">
            Save
          </button>
          <RuleWhat view={view} />
          <RuleWhich view={view} />
          <RuleHow view={view} />
          <RuleWhen view={view} />
        </fieldset>
        <TestResult test={view.test} />
        <div class="actions rule-actions">
          {canChange && <button id="save-rule">Save rule</button>}
          <PreviewButton />
          {canChange && (
            <button id="test-rule" class="secondary" formaction={pageUrl('rules', 'test')}>
              Send test card
            </button>
          )}
          <a id="cancel-rule" class="button secondary" href={pageUrl('rules')}>
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
        Fill in the rule, or{' '}
        <a id="from-preset" href={pageUrl('rules', 'presets')}>
          start from a preset
        </a>
        .
      </p>
    );
  }
  return (
    <div class="notice-box">
      <p>{preset.description}</p>
      {preset.questions.length > 0 && (
        <>
          <p>Decide before you save:</p>
          <ul class="notes">
            {preset.questions.map((question) => (
              <li>{question}</li>
            ))}
          </ul>
        </>
      )}
    </div>
  );
}
