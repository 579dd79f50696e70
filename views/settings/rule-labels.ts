/** Where each field of a rule stands in its form, by the API's path, and what it is called there. */

import type { Refusal } from '../form';

/** Where each field of the API stands in the form. */
export const RULE_LABELS = {
  name: { id: 'rule-name', label: 'Name' },
  eventType: { id: 'rule-event', label: 'Event' },
  'filters.pipelineIds': { id: 'rule-pipelines', label: 'Pipelines' },
  'filters.stageIds': { id: 'rule-stages', label: 'Stages' },
  'filters.fromStageIds': { id: 'rule-from', label: 'Coming from' },
  'filters.ownerIds': { id: 'rule-owners', label: 'Owners' },
  'filters.minValue': { id: 'rule-value', label: 'Minimum value' },
  'filters.currency': { id: 'rule-currency', label: 'Currency' },
  'filters.crossing': { id: 'rule-crossing', label: 'Only when it rises above this' },
  'filters.fields': { id: 'rule-fields', label: 'Watched fields' },
  'filters.conditions': { id: 'conditions', label: 'Conditions' },
  targetWebhookIds: { id: 'rule-space', label: 'Space' },
  templateMode: { id: 'rule-layout', label: 'Layout' },
  template: { id: 'rule-text', label: 'Custom text' },
  settleMs: { id: 'rule-wait', label: 'Seconds to wait for later edits' },
  digest: { id: 'rule-timing', label: 'When to post' },
  urgent: { id: 'rule-timing', label: 'When to post' },
} as const;

/** What was refused at a field or inside it. */
export function labelledRefusal(refusal: Refusal | null): Refusal | null {
  if (refusal === null) return null;
  const errors = refusal.errors.map(({ path, message }) => {
    const known = Object.keys(RULE_LABELS).find((field) => path === field || path.startsWith(`${field}.`));
    return { path: known ?? path, message };
  });
  return { ...refusal, errors };
}
