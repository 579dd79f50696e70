/** Groups changes that one message tells: who did what to how many records, what they are worth, and which stand out. Pure. */

import { convert, type ExchangeRates } from '../core/exchange-rates';
import { idField, moneyOf, type Money, type RecordEntity } from '../core/record';
import type { EventType, RecordChange } from '../core/transition';
import type { Reference } from './names';

export interface ChangeGroup {
  readonly type: EventType;
  readonly entity: RecordEntity;
  /** Null when several people did it, or nobody knows who. */
  readonly actorUserId: number | null;
  /** What the records came to (a stage, a pipeline, an owner); null when they did not come to the same. */
  readonly target: Reference | null;
  /** One per record, the most valuable first, else the newest. */
  readonly changes: readonly RecordChange[];
  /** What the records are worth together: in the company's own currency when all can be converted, else by currency, the most frequent first. */
  readonly sums: readonly Money[];
  readonly isConverted: boolean;
}

/** More groups than this would be a list again: then people, and then stages, are told together. */
const MAX_GROUPS = 12;

/** What keeps changes of one type apart, from the finest view to the coarsest. */
type View = (change: RecordChange) => string;
const VIEWS: readonly View[] = [(change) => `${actorKey(change)}/${targetKey(change)}`, (change) => targetKey(change), () => ''];

/** Groups, deals won first, then the largest first. Of several changes of one type to one record the last one counts. */
export function groupChanges(changes: readonly RecordChange[], rates: ExchangeRates): readonly ChangeGroup[] {
  const last = new Map(inOrder(changes).map((change) => [sameKey(change), change]));
  const views = VIEWS.map((view) => groupsIn([...last.values()], view, rates));
  const groups = views.find((view) => view.length <= MAX_GROUPS) ?? views.at(-1) ?? [];
  return [...groups].sort(
    (left, right) => Number(isWon(right)) - Number(isWon(left)) || right.changes.length - left.changes.length,
  );
}

export function isWon({ type }: Pick<ChangeGroup, 'type'>): boolean {
  return type === 'deal.won';
}

/** How many changes the groups tell of. */
export function countOf(groups: readonly ChangeGroup[]): number {
  return groups.reduce((count, { changes }) => count + changes.length, 0);
}

function inOrder(changes: readonly RecordChange[]): readonly RecordChange[] {
  return [...changes].sort((left, right) => left.occurredAt.getTime() - right.occurredAt.getTime());
}

/** Fields are told for themselves: a later edit of another field does not take back the first. */
function sameKey({ entity, entityId, transition }: RecordChange): string {
  const fields = transition.type === 'deal.field_changed' ? transition.changes.map(({ field }) => field).join(',') : '';
  return `${transition.type}/${entity}/${entityId}/${fields}`;
}

function groupsIn(changes: readonly RecordChange[], view: View, rates: ExchangeRates): readonly ChangeGroup[] {
  const members = new Map<string, RecordChange[]>();
  for (const change of changes) {
    // A win is the owner's, whoever marked it: all wins stand together.
    const key = `${change.transition.type}/${change.transition.type === 'deal.won' ? '' : view(change)}`;
    const group = members.get(key);
    if (group === undefined) members.set(key, [change]);
    else group.push(change);
  }
  return [...members.values()].flatMap((group) => groupOf(group, rates));
}

function groupOf(changes: readonly RecordChange[], rates: ExchangeRates): readonly ChangeGroup[] {
  const [first] = changes;
  if (first === undefined) return [];
  const sums = sumsOf(changes);
  const converted = sums.length < 2 ? null : inOneCurrency(sums, rates);
  const isOneActor = changes.every((change) => actorKey(change) === actorKey(first));
  const isOneTarget = changes.every((change) => targetKey(change) === targetKey(first));
  return [
    {
      type: first.transition.type,
      entity: first.entity,
      actorUserId: isOneActor ? first.actorUserId : null,
      target: isOneTarget ? targetOf(first) : null,
      changes: converted === null ? byWeight(changes) : byWorth(changes, rates),
      sums: converted ?? sums,
      isConverted: converted !== null,
    },
  ];
}

function actorKey({ actorUserId }: RecordChange): string {
  return actorUserId === null ? '' : String(actorUserId);
}

function targetKey(change: RecordChange): string {
  return targetOf(change)?.id ?? '';
}

function targetOf({ transition, state }: RecordChange): Reference | null {
  switch (transition.type) {
    case 'deal.stage_changed':
      return reference('stage', idField(state, 'stage_id'));
    case 'deal.pipeline_changed':
      return reference('pipeline', idField(state, 'pipeline_id'));
    case 'deal.owner_changed':
      return reference('user', idField(state, 'owner_id'));
    default:
      return null;
  }
}

function reference(entity: Reference['entity'], id: number | null): Reference | null {
  return id === null ? null : { entity, id: String(id) };
}

/** Amounts of one currency are added. */
function sumsOf(changes: readonly RecordChange[]): readonly Money[] {
  const sums = new Map<string | null, { amount: number; count: number }>();
  for (const money of changes.map(({ state }) => moneyOf(state)).filter((money) => money !== null)) {
    const sum = sums.get(money.currency) ?? { amount: 0, count: 0 };
    sums.set(money.currency, { amount: sum.amount + money.amount, count: sum.count + 1 });
  }
  return [...sums]
    .filter(([, { amount }]) => amount !== 0)
    .sort(([, left], [, right]) => right.count - left.count)
    .map(([currency, { amount }]) => ({ currency, amount: Math.round(amount * 100) / 100 }));
}

/** Null when a rate is lacking: what cannot be converted is not guessed. */
function inOneCurrency(sums: readonly Money[], rates: ExchangeRates): readonly Money[] | null {
  const amounts = sums.map((money) => worth(money, rates)).filter((amount) => amount !== null);
  if (amounts.length < sums.length) return null;
  return [{ currency: rates.base, amount: Math.round(amounts.reduce((sum, amount) => sum + amount, 0) * 100) / 100 }];
}

function worth(money: Money, rates: ExchangeRates): number | null {
  return rates.base === '' ? null : convert(money, rates.base, rates);
}

/** The most valuable first, whatever their currencies. */
function byWorth(changes: readonly RecordChange[], rates: ExchangeRates): readonly RecordChange[] {
  const worthOf = ({ state }: RecordChange): number => {
    const money = moneyOf(state);
    return money === null ? 0 : (worth(money, rates) ?? 0);
  };
  return [...inOrder(changes)].reverse().sort((left, right) => worthOf(right) - worthOf(left));
}

/** The most valuable first; amounts of different currencies cannot be compared, so that each currency has its turn. */
function byWeight(changes: readonly RecordChange[]): readonly RecordChange[] {
  const newestFirst = [...inOrder(changes)].reverse();
  const currencies = new Map<string | null, RecordChange[]>();
  for (const change of newestFirst) {
    const currency = moneyOf(change.state)?.currency ?? null;
    const same = currencies.get(currency);
    if (same === undefined) currencies.set(currency, [change]);
    else same.push(change);
  }
  const columns = [...currencies.values()]
    .map((column) => column.sort((left, right) => amountOf(right) - amountOf(left)))
    .sort((left, right) => right.length - left.length);
  const rows = columns.flatMap((column) => column.map((change, rank) => ({ change, rank })));
  return rows.sort((left, right) => left.rank - right.rank).map(({ change }) => change);
}

function amountOf({ state }: RecordChange): number {
  return moneyOf(state)?.amount ?? 0;
}
