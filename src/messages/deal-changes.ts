/** Deal events that are told as a way from one value to another: stage, pipeline, owner, value, close date, labels, fields. */

import { idField, moneyOf, type Money } from '../core/record';
import type { EventType, FieldChange } from '../core/transition';
import { alsoChanged } from './also-changed';
import type { Row } from './cards';
import { fieldName, fieldWords, optionWords } from './field-words';
import { daysBetween } from './format';
import { nameOf, namedOf } from './names';
import { bold, fromTo, plainOf, words, type Rich, type Tone } from './rich-text';
import { changeOf, joined, NO_VALUE, ownerIn, titleIn, valueIn, type StoryContext } from './story';

/** What one event type adds to the deal's own facts. */
export interface DealTelling {
  readonly emoji: string;
  readonly headline: string;
  readonly gist: string | null;
  readonly summary: Row;
  readonly lead: Row | null;
  readonly tone?: Tone;
  /** Facts that the lead has told already. */
  readonly tells: readonly DealFact[];
}

/** Facts of a deal that a change may tell by itself. */
type DealFact = 'value' | 'owner' | 'stage' | 'closeDate';

const FIELDS_SHOWN = 4;

interface Way {
  readonly emoji: string;
  readonly headline: string;
  readonly icon: string;
  readonly label: string;
  readonly text: Rich;
  readonly note?: string | null;
  /** Facts that this way tells by itself. */
  readonly tells?: readonly DealFact[];
}

/** Null for event types that are no change of fields, and when neither side of the change can be named. */
export function changeStory(context: StoryContext): DealTelling | null {
  const way = WAYS[context.change.transition.type]?.(context);
  if (way === undefined) return null;
  const tells = way.tells ?? [];
  const value = tells.includes('value') ? null : (valueIn(context) ?? NO_VALUE);
  const below = joined(value, tells.includes('owner') ? null : ownerIn(context));
  const isBare = plainOf(way.text) === '';
  const text = isBare ? bold(valueIn(context) ?? NO_VALUE) : way.text;
  const row: Row = { icon: way.icon, label: isBare ? (ownerIn(context) ?? 'Value') : way.label, text };
  return {
    emoji: way.emoji,
    headline: way.headline,
    gist: isBare ? null : plainOf(way.text).replaceAll('\n', ', '),
    summary: { ...row, below: joined(way.note ?? null, isBare ? null : below) },
    lead: isBare ? null : { ...row, below: way.note ?? null },
    tells: isBare ? [] : tells,
  };
}

const WAYS: Readonly<Partial<Record<EventType, (context: StoryContext) => Way>>> = {
  'deal.stage_changed': stageWay,
  'deal.pipeline_changed': pipelineWay,
  'deal.owner_changed': ownerWay,
  'deal.value_changed': valueWay,
  'deal.close_date_changed': closeDateWay,
  'deal.label_added': labelWay,
  'deal.label_removed': labelGoneWay,
  'deal.field_changed': fieldWay,
  'deal.merged': (context) =>
    otherWay(context, { emoji: '🔗', headline: 'Deals merged', icon: 'merge', label: 'Merged with' }, 'deal'),
  'lead.converted': (context) =>
    otherWay(context, { emoji: '🚀', headline: 'Lead converted', icon: 'handshake', label: 'From the lead' }, 'lead'),
};

function stageWay(context: StoryContext): Way {
  const { names, change } = context;
  const moved = changeOf(context, 'stage_id');
  const [from, to] = [
    namedOf(names, 'stage', idIn(moved?.from)),
    namedOf(names, 'stage', idIn(moved?.to) ?? idField(change.state, 'stage_id')),
  ];
  const pipeline = nameOf(names, 'pipeline', idField(change.state, 'pipeline_id'));
  const isOnePipeline = from !== null && to !== null && from.pipelineId === to.pipelineId;
  const step = isOnePipeline && from.position !== null && to.position !== null ? to.position - from.position : 0;
  const [emoji, headline]: readonly [string, string] =
    step > 0 ? ['➡️', 'Deal moved forward'] : step < 0 ? ['⬅️', 'Deal moved back'] : ['➡️', 'Deal stage changed'];
  const tone: Tone = step < 0 ? 'warning' : 'moved';
  return {
    emoji,
    headline,
    icon: 'swap_horiz',
    label: pipeline ?? 'Stage',
    text: fromTo(from?.name ?? null, to?.name ?? null, tone),
    note: step > 1 ? skippedWords(step - 1) : null,
    tells: pipeline !== null && to !== null ? ['stage'] : [],
  };
}

/** By Pipedrive's `order_nr`, which numbers the stages of a pipeline. */
function skippedWords(count: number): string {
  return count === 1 ? 'skipping one stage' : `skipping ${String(count)} stages`;
}

function pipelineWay(context: StoryContext): Way {
  const { names, change } = context;
  const [pipeline, stage] = [changeOf(context, 'pipeline_id'), changeOf(context, 'stage_id')];
  const to = nameOf(names, 'pipeline', idIn(pipeline?.to) ?? idField(change.state, 'pipeline_id'));
  const text = fromTo(nameOf(names, 'pipeline', idIn(pipeline?.from)), to, 'moved');
  const stages = plainOf(
    fromTo(
      nameOf(names, 'stage', idIn(stage?.from)),
      nameOf(names, 'stage', idIn(stage?.to) ?? idField(change.state, 'stage_id')),
    ),
  );
  return {
    emoji: '🔀',
    headline: 'Deal moved to another pipeline',
    icon: 'view_kanban',
    label: 'Pipeline',
    text,
    note: stages || null,
    tells: stages && to !== null ? ['stage'] : [],
  };
}

function ownerWay(context: StoryContext): Way {
  const moved = changeOf(context, 'owner_id');
  const text = fromTo(nameOf(context.names, 'user', idIn(moved?.from)), ownerIn(context), 'moved');
  return { emoji: '🤝', headline: 'Deal has a new owner', icon: 'person', label: 'Owner', text, tells: ['owner'] };
}

function valueWay(context: StoryContext): Way {
  const { change, format } = context;
  const [value, currency] = [changeOf(context, 'value'), changeOf(context, 'currency')];
  const to = moneyOf(change.state);
  const from = value === null ? to : moneyOf({ value: value.from, currency: to?.currency });
  const before = from === null ? null : { ...from, currency: typeof currency?.from === 'string' ? currency.from : from.currency };
  const step = stepBetween(before, to);
  const tone: Tone = step === null ? 'moved' : step < 0 ? 'bad' : 'good';
  const written = (money: Money | null) => (money === null ? NO_VALUE : format.money(money));
  return {
    emoji: '💰',
    headline: valueHeadline(before, to, step),
    icon: step === null || step === 0 ? 'payments' : step > 0 ? 'trending_up' : 'trending_down',
    label: 'Value',
    text: fromTo(written(before), written(to), tone),
    note: step === null || step === 0 || to === null ? null : stepWords(context, step, before, to),
    tells: ['value'],
  };
}

function valueHeadline(from: Money | null, to: Money | null, step: number | null): string {
  if (from === null && to !== null) return 'Deal value set';
  if (to === null && from !== null) return 'Deal value cleared';
  return step === null || step === 0 ? 'Deal value changed' : step > 0 ? 'Deal value up' : 'Deal value down';
}

/** Null when the two cannot be compared: another currency. A missing value counts as nothing. */
function stepBetween(from: Money | null, to: Money | null): number | null {
  if (from !== null && to !== null && from.currency !== to.currency) return null;
  return (to?.amount ?? 0) - (from?.amount ?? 0);
}

function stepWords({ format }: StoryContext, step: number, from: Money | null, to: Money): string {
  const written = format.moneyStep({ amount: step, currency: to.currency });
  return from !== null && from.amount > 0 ? `${written} (${format.percentStep(step / from.amount)})` : written;
}

function closeDateWay(context: StoryContext): Way {
  const { format, change } = context;
  const moved = changeOf(context, 'expected_close_date');
  const now = change.state['expected_close_date'];
  const days = daysBetween(moved?.from, now);
  const note =
    days === null || days === 0
      ? null
      : `${format.number(Math.abs(days))} ${Math.abs(days) === 1 ? 'day' : 'days'} ${days > 0 ? 'later' : 'earlier'}`;
  const text = fromTo(
    format.date(moved?.from) ?? 'No date',
    format.date(now) ?? 'No date',
    days !== null && days > 0 ? 'warning' : 'moved',
  );
  return {
    emoji: '📅',
    headline: closeDateHeadline(moved?.from ?? null, now ?? null, days),
    icon: 'event',
    label: 'Expected close',
    text,
    note,
    tells: ['closeDate'],
  };
}

function closeDateHeadline(from: unknown, to: unknown, days: number | null): string {
  if (days !== null && days !== 0) return days > 0 ? 'Expected close date slipped' : 'Expected close date pulled in';
  if (from === null && to !== null) return 'Expected close date set';
  return to === null && from !== null ? 'Expected close date cleared' : 'Expected close date changed';
}

function labelWay(context: StoryContext): Way {
  const moved = changeOf(context, 'label_ids');
  const before = new Set(listOf(moved?.from).map(String));
  const added = listOf(moved?.to ?? context.change.state['label_ids']).filter((id) => !before.has(String(id)));
  const label = labelWords(context, added);
  return {
    emoji: '🏷️',
    headline: 'Deal label added',
    icon: 'label',
    label: 'Label',
    text: label === null ? [] : bold(label, 'moved'),
  };
}

function labelGoneWay(context: StoryContext): Way {
  const moved = changeOf(context, 'label_ids');
  const after = new Set(listOf(moved?.to).map(String));
  const label = labelWords(
    context,
    listOf(moved?.from).filter((id) => !after.has(String(id))),
  );
  return {
    emoji: '🏷️',
    headline: 'Deal label removed',
    icon: 'label_off',
    label: 'Label',
    text: label === null ? [] : bold(label, 'warning'),
  };
}

function fieldWay(context: StoryContext): Way {
  const { changes } = context.change.transition;
  const text = fieldLines(context, changes, changes.length > 1);
  const [only] = changes;
  const label = changes.length === 1 && only ? fieldName(context, only.field) : 'Changed fields';
  return { emoji: '✏️', headline: 'Deal updated', icon: 'edit', label, text };
}

/** A line for each field, as far as there is room. */
function fieldLines(context: StoryContext, changes: readonly FieldChange[], isNamed: boolean): Rich {
  const lines = changes.slice(0, FIELDS_SHOWN).map((change) => fieldLine(context, change, isNamed));
  const left = changes.length - lines.length;
  return [...lines, ...(left > 0 ? [words(`and ${String(left)} more`)] : [])].flatMap((line, index) =>
    index === 0 ? line : [...words('\n'), ...line],
  );
}

/** What changed beside a win or another moment; null when that is all. */
export function besideStory(context: StoryContext): Rich | null {
  const changes = alsoChanged(context.change.transition);
  return changes.length === 0 ? null : fieldLines(context, changes, true);
}

/** "Probability: 20% → 40%"; "changed" alone where a side cannot be named. */
function fieldLine(context: StoryContext, change: FieldChange, isNamed: boolean): Rich {
  const [from, to] = [fieldWords(context, change.field, change.from), fieldWords(context, change.field, change.to)];
  const way = from === null && to === null ? words('Changed') : fromTo(from, to, 'moved');
  return isNamed ? [...words(`${fieldName(context, change.field)}: `), ...way] : way;
}

function otherWay(context: StoryContext, shape: Omit<Way, 'text'>, entity: 'deal' | 'lead'): Way {
  const other = nameOf(context.names, entity, context.change.transition.relatedId ?? null);
  // A converted lead mostly gives the deal its title, which the card shows already.
  const isNews = other !== null && (entity === 'deal' || other !== titleIn(context));
  return { ...shape, text: isNews ? bold(other, 'moved') : [] };
}

/** Names of deal labels; null when none can be named. */
export function labelWords(context: StoryContext, ids: unknown): string | null {
  return optionWords(context, 'label_ids', listOf(ids));
}

function listOf(value: unknown): readonly (number | string)[] {
  return Array.isArray(value)
    ? value.filter((id): id is number | string => typeof id === 'number' || typeof id === 'string')
    : [];
}

function idIn(value: unknown): number | null {
  return idField({ value }, 'value');
}
