/** What the API refuses of a rule, in the words of its form: at the field that can mend it, a condition by its number. Pure. */

import type { Refusal } from '../../views/form';
import type { Preset } from '../rules/presets';
import { ROOT, type ConditionNode } from './condition-form';
import type { RuleForm } from './rule-form';

interface Refused {
  readonly form: RuleForm;
  /** The API's paths of conditions to the form's. */
  readonly places: ReadonlyMap<string, string>;
}

type RefusedField = Refusal['errors'][number];

const MOST_WAIT_SECONDS = 120;

/** The same refusal as the form says it; one line for each condition. */
export function refusalOfForm(refusal: Refusal, refused: Refused): Refusal {
  const errors = refusal.errors.map((error) => wordedError(error, refused));
  return { ...refusal, errors: errors.filter(({ path }, at) => errors.findIndex((other) => other.path === path) === at) };
}

function wordedError(error: RefusedField, { form, places }: Refused): RefusedField {
  const { path } = error;
  if (path === 'settleMs') return { path, message: `must be a number of seconds from 0 to ${MOST_WAIT_SECONDS}` };
  if (path === 'filters.minValue' && Number.isNaN(Number(form.minValue)))
    return { path, message: 'must be a number, written like 10000 or 10000.50' };
  const place = placeOf(path, places);
  const line = place === null ? undefined : linesOf(form.conditions).find((known) => known.path === place);
  if (place === null || line === undefined) return error;
  return { path: `${LINE}${place}`, message: line.field === '' ? 'choose a field' : error.message };
}

/** What a preset cannot do without and nobody has answered: a key stage without a stage would be every move. */
export function unanswered({ stages, eventType }: RuleForm, preset: Preset | null): Refusal | null {
  const asksForStages = preset?.eventType === eventType && preset.asks.some(({ path }) => path === 'filters.stageIds');
  if (!asksForStages || stages.length > 0) return null;
  const message = 'choose at least one stage';
  return { message, errors: [{ path: 'filters.stageIds', message }] };
}

/** Before the form's path of a condition, in the path of an error. */
const LINE = 'line:';

/** The form's path of the condition that an error is about; null when it is about none. */
export function lineOfError({ path }: RefusedField): string | null {
  return path.startsWith(LINE) ? path.slice(LINE.length) : null;
}

/** Where each condition stands and what it is called, for links to it. */
export function conditionLabels({
  conditions,
}: RuleForm): Readonly<Record<string, { readonly id: string; readonly label: string }>> {
  const lines = linesOf(conditions);
  return Object.fromEntries(
    lines.map(({ path }, at) => [`${LINE}${path}`, { id: `field-${path.replaceAll('.', '-')}`, label: `Condition ${at + 1}` }]),
  );
}

/** The nearest place at or above the refused path. */
export function placeOf(path: string, places: ReadonlyMap<string, string>): string | null {
  const nearest = [...places]
    .filter(([place]) => path === place || path.startsWith(`${place}.`))
    .sort((a, b) => b[0].length - a[0].length)[0];
  return nearest?.[1] ?? null;
}

/** In the order in which they are numbered. */
function linesOf(node: ConditionNode, path = ROOT): readonly { readonly path: string; readonly field: string }[] {
  if (node.kind === 'line') return [{ path, field: node.field }];
  return node.items.flatMap((item, at) => linesOf(item, `${path}.${at}`));
}
