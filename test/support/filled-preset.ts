/** A preset with its questions answered, as a page would make a rule of it. */

import type { AskKind, Preset } from '../../src/rules/presets';

const FIELD = '3e9bb7da4983ebebda9e19851cc6828af134e3c8';

/** What a person might answer; amounts, percentages, days and types of activity keep what the preset suggests. */
const USUAL_ANSWERS: Partial<Record<AskKind, unknown>> = {
  stages: [12],
  labels: [24],
  dealField: FIELD,
  fieldValue: 31,
};

type PresetRule = Pick<Preset, 'name' | 'eventType' | 'templateMode' | 'settleMs'> & { readonly filters: unknown };

/** `answers` by path; a question that is the same as another takes that one's answer. */
export function filledPreset(preset: Preset, answers: Readonly<Record<string, unknown>> = {}): PresetRule {
  const { name, eventType, templateMode, settleMs } = preset;
  let rule: unknown = { filters: preset.filters };
  for (const { path, kind, sameAs } of preset.asks) {
    const answer = answers[sameAs ?? path] ?? USUAL_ANSWERS[kind];
    if (answer !== undefined) rule = withAnswer(rule, path.split('.'), answer);
  }
  return { name, eventType, templateMode, settleMs, filters: entriesOf(rule).find(([key]) => key === 'filters')?.[1] };
}

function withAnswer(value: unknown, [step, ...rest]: readonly string[], answer: unknown): unknown {
  if (step === undefined) return answer;
  if (!Array.isArray(value)) {
    const entries = entriesOf(value);
    if (entries.every(([key]) => key !== step) && rest.length > 0)
      throw new Error(`a question points to ${step}, which is not there`);
    const inner = entries.find(([key]) => key === step)?.[1];
    return Object.fromEntries([...entries, [step, withAnswer(inner, rest, answer)]]);
  }
  const items: unknown[] = [...value];
  items[Number(step)] = withAnswer(items[Number(step)], rest, answer);
  return items;
}

function entriesOf(value: unknown): [string, unknown][] {
  return Object.entries(typeof value === 'object' && value !== null ? value : {});
}
