/** The finer kind of a transition: forward or back, up or down, slipped or pulled in. Pure. */

import { idField, isObject, numberField, type RecordState } from '../core/record';
import type { FieldChange, Transition, TransitionKind } from '../core/transition';

/** Where a stage stands: its pipeline and Pipedrive's `order_nr` in it. */
export interface StagePlace {
  readonly pipelineId: number | null;
  readonly order: number;
}

/** Every known stage of a tenant by its id. */
export type StageOrder = ReadonlyMap<number, StagePlace>;

export const NO_STAGES: StageOrder = new Map();

/** The place that a stage record names; null when it names none. */
export function stagePlace(stage: RecordState): StagePlace | null {
  const order = numberField(stage, 'order_nr');
  return order === null ? null : { pipelineId: idField(stage, 'pipeline_id'), order };
}

/** Every kind that the transition is of; null when that cannot be told (stages of an unknown order). */
export function kindsOf(transition: Transition, stages: StageOrder): readonly TransitionKind[] | null {
  switch (transition.type) {
    case 'deal.won':
      return transition.again === true ? ['again'] : ['first'];
    case 'deal.reopened':
      return changeOf(transition, 'status')?.from === 'won' ? ['fromWon'] : ['fromLost'];
    case 'deal.stage_changed':
      return kindsOfMove(changeOf(transition, 'stage_id'), stages);
    case 'deal.value_changed':
      return kindsOfValue(changeOf(transition, 'value'));
    case 'deal.close_date_changed':
      return kindsOfDate(changeOf(transition, 'expected_close_date'), ['slipped', 'pulledIn']);
    case 'activity.rescheduled':
      return kindsOfDate(changeOf(transition, 'due_date'), ['later', 'earlier']);
    default:
      return [];
  }
}

function changeOf({ changes }: Transition, field: string): FieldChange | undefined {
  return changes.find((change) => change.field === field);
}

function kindsOfMove(change: FieldChange | undefined, stages: StageOrder): readonly TransitionKind[] | null {
  const [from, to] = [stageIn(change?.from, stages), stageIn(change?.to, stages)];
  if (from === undefined || to === undefined || from.pipelineId !== to.pipelineId || from.order === to.order) return null;
  if (to.order < from.order) return ['back'];
  const isSkipping = [...stages.values()].some(
    ({ pipelineId, order }) => pipelineId === from.pipelineId && order > from.order && order < to.order,
  );
  return isSkipping ? ['forward', 'skipped'] : ['forward'];
}

function stageIn(value: unknown, stages: StageOrder): StagePlace | undefined {
  const id = idField({ value }, 'value');
  return id === null ? undefined : stages.get(id);
}

/** Amounts of two currencies are neither more nor less; Pipedrive shows a deal without a value as one of 0. */
function kindsOfValue(change: FieldChange | undefined): readonly TransitionKind[] {
  const [from, to] = [amountIn(change?.from), amountIn(change?.to)];
  if (from === null) return ['set'];
  if (to === null) return ['cleared'];
  if (from.currency !== to.currency) return ['currency'];
  if (to.amount > from.amount) return from.amount === 0 ? ['up', 'set'] : ['up'];
  return to.amount === 0 ? ['down', 'cleared'] : ['down'];
}

function amountIn(value: unknown): { readonly amount: number; readonly currency: unknown } | null {
  if (!isObject(value)) return null;
  const amount = numberField(value, 'amount');
  return amount === null ? null : { amount, currency: value['currency'] };
}

/** Days only: the time of an activity's day makes it neither later nor earlier here. */
function kindsOfDate(
  change: FieldChange | undefined,
  [after, before]: readonly [TransitionKind, TransitionKind],
): readonly TransitionKind[] {
  if (change === undefined) return [];
  const [from, to] = [dayIn(change.from), dayIn(change.to)];
  if (from === null) return to === null ? [] : ['set'];
  if (to === null) return ['cleared'];
  return to > from ? [after] : to < from ? [before] : [];
}

function dayIn(value: unknown): string | null {
  return typeof value === 'string' && /^\d{4}-\d{2}-\d{2}/.test(value) ? value.slice(0, 10) : null;
}
