/** Answers of a preset that are the same as another one: nobody fills in the same thing twice. Pure. */

import type { Ask, Preset } from '../rules/presets';
import type { ConditionNode } from './condition-form';
import type { RuleForm } from './rule-form';

/** Lines that are still empty take the answer that was given elsewhere. */
export function fillFromPreset(form: RuleForm, { asks }: Preset): RuleForm {
  return asks.reduce(filled, form);
}

function filled(form: RuleForm, { path, sameAs }: Ask): RuleForm {
  const answer = sameAs === 'filters.stageIds' ? form.stages : sameAs === 'filters.fields.0' ? form.fields.slice(0, 1) : [];
  if (answer.length === 0) return form;
  const steps = path
    .split('.')
    .filter((step) => /^\d+$/.test(step))
    .map(Number);
  const root = changedLine(form.conditions, steps, (line) => {
    if (line.kind === 'group') return line;
    if (path.endsWith('.field')) return line.field === '' ? { ...line, field: answer[0] ?? '' } : line;
    return line.values.length === 0 ? { ...line, values: answer } : line;
  });
  return root.kind === 'group' ? { ...form, conditions: root } : form;
}

function changedLine(
  node: ConditionNode,
  [step, ...rest]: readonly number[],
  change: (line: ConditionNode) => ConditionNode,
): ConditionNode {
  if (step === undefined) return change(node);
  if (node.kind === 'line') return node;
  return { ...node, items: node.items.map((item, index) => (index === step ? changedLine(item, rest, change) : item)) };
}
