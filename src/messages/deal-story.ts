/** What is said of deals: owner and value always, and for each event type what happened to the deal. */

import type { EventType } from '../core/transition';
import { flagField, idField, numberField } from '../core/record';
import type { Row } from './cards';
import { besideStory, changeStory, labelWords, type DealTelling } from './deal-changes';
import { nameOf } from './names';
import { bold, type Tone } from './rich-text';
import {
  actorIn,
  changeOf,
  contactRows,
  joined,
  lineField,
  linkTo,
  ownerIn,
  ownerRows,
  rowIf,
  titleIn,
  valueIn,
  valueRow,
  valueText,
  type Story,
  type StoryContext,
} from './story';

/** Any deal event, the conversion of a lead included. */
export function dealStory(context: StoryContext): Story {
  const told = changeStory(context) ?? momentStory(context);
  const owner = ownerIn(context);
  const beside = besideStory(context);
  return {
    emoji: told.emoji,
    headline: told.headline,
    title: titleIn(context),
    link: linkTo(context, 'deal', context.change.entityId),
    gist: [told.gist, told.tells.includes('value') ? null : valueIn(context), told.tells.includes('owner') ? null : owner].filter(
      (part) => part !== null,
    ),
    summary: told.summary,
    lead: told.lead,
    facts: factRows(context, told),
    more: moreRows(context),
    passage: beside === null ? null : { text: beside, isNews: true },
  };
}

interface Moment {
  readonly emoji: string;
  readonly headline: string;
  readonly icon: string;
  readonly below: string | null;
  readonly tone?: Tone;
  readonly gist?: string | null;
  readonly lead?: Row | null;
}

/** Events that change no field worth showing as "from → to": the deal's value is the news. */
function momentStory(context: StoryContext): DealTelling {
  const moment = (MOMENTS[context.change.transition.type] ?? createdMoment)(context);
  const owner = ownerIn(context);
  const text = valueText(valueIn(context), moment.tone);
  return {
    emoji: moment.emoji,
    headline: moment.headline,
    gist: moment.gist ?? null,
    summary: { icon: moment.icon, label: owner ?? 'Value', text, below: moment.below },
    lead: moment.lead ?? null,
    tells: [],
    ...(moment.tone && { tone: moment.tone }),
  };
}

const MOMENTS: Readonly<Partial<Record<EventType, (context: StoryContext) => Moment>>> = {
  'deal.won': wonMoment,
  'deal.lost': lostMoment,
  'deal.reopened': (context) => ({
    emoji: '🔄',
    headline: 'Deal reopened',
    icon: 'restart_alt',
    below: joined(formerStatus(context), happened(context)),
  }),
  'deal.archived': (context) => ({ emoji: '📦', headline: 'Deal archived', icon: 'inventory_2', below: happened(context) }),
  'deal.restored': (context) => ({ emoji: '↩️', headline: 'Deal restored', icon: 'unarchive', below: happened(context) }),
  'deal.deleted': deletedMoment,
};

/** Of a deal that is gone Pipedrive's lists, which late messages are made of, do not say whether it was merged into another one. */
function deletedMoment(context: StoryContext): Moment {
  const isLate = context.change.transition.cause?.isLate === true;
  return {
    emoji: '🗑️',
    headline: isLate ? 'Deal deleted or merged' : 'Deal deleted',
    icon: 'delete',
    below: happened(context),
  };
}

function createdMoment(context: StoryContext): Moment {
  return { emoji: '✨', headline: 'New deal', icon: 'handshake', below: expectedClose(context) ?? happened(context) };
}

function wonMoment(context: StoryContext): Moment {
  const headline = context.change.transition.again === true ? 'Deal won again' : 'Deal won';
  return { emoji: '🏆', headline, icon: 'emoji_events', below: stamped(context, 'Won', 'won_time'), tone: 'good' };
}

function lostMoment(context: StoryContext): Moment {
  const reason = lineField(context.change.state, 'lost_reason');
  const row: Row | null = reason === null ? null : { icon: 'sentiment_dissatisfied', label: 'Lost reason', text: bold(reason) };
  const when = stamped(context, 'Lost', 'lost_time');
  return {
    emoji: '❌',
    headline: 'Deal lost',
    icon: 'sentiment_dissatisfied',
    below: joined(reason, when),
    tone: 'bad',
    gist: reason,
    lead: row,
  };
}

function formerStatus(context: StoryContext): string | null {
  const from = changeOf(context, 'status')?.from;
  return from === 'won' || from === 'lost' ? `Was ${from}` : null;
}

function stamped({ change, format }: StoryContext, verb: string, field: string): string | null {
  const when =
    format.dateTime(change.state[field]) ?? format.dateTime(change.state['close_time']) ?? format.dateTime(change.occurredAt);
  return when === null ? null : `${verb} ${when}`;
}

function happened({ change, format }: StoryContext): string | null {
  return format.dateTime(change.occurredAt);
}

function expectedClose({ change, format }: StoryContext): string | null {
  const date = format.date(change.state['expected_close_date']);
  return date === null ? null : `Expected to close ${date}`;
}

function factRows(context: StoryContext, { tone, tells }: DealTelling): readonly Row[] {
  const { change, format } = context;
  return [
    ...(tells.includes('value') ? [] : [valueRow(context, tone)]),
    ...(tells.includes('owner') ? [] : ownerRows(context)),
    ...(tells.includes('stage') ? [] : stageRows(context)),
    ...(tells.includes('closeDate') ? [] : rowIf('event', 'Expected close', format.date(change.state['expected_close_date']))),
    ...contactRows(context),
    ...closedRow(context),
  ];
}

/** The stage under its pipeline's name. */
function stageRows({ change, names }: StoryContext): readonly Row[] {
  const pipeline = nameOf(names, 'pipeline', idField(change.state, 'pipeline_id'));
  const stage = nameOf(names, 'stage', idField(change.state, 'stage_id'));
  if (stage === null) return rowIf('view_kanban', 'Pipeline', pipeline);
  return rowIf('view_kanban', pipeline ?? 'Stage', stage);
}

/** When it was won or lost. */
function closedRow({ change, format }: StoryContext): readonly Row[] {
  const { state } = change;
  if (state['status'] === 'won') return rowIf('event_available', 'Won', format.dateTime(state['won_time']));
  if (state['status'] === 'lost') return rowIf('event_busy', 'Lost', format.dateTime(state['lost_time']));
  return [];
}

function moreRows(context: StoryContext): readonly Row[] {
  const { state, transition } = context.change;
  const probability = numberField(state, 'probability');
  const reason = transition.type === 'deal.lost' ? null : lineField(state, 'lost_reason');
  return [
    ...rowIf('edit', ACTOR_LABELS[transition.type] ?? 'Changed by', actorIn(context)),
    ...rowIf('schedule', 'Created', context.format.date(state['add_time'])),
    ...rowIf('percent', 'Probability', probability === null ? null : `${context.format.number(probability)}%`),
    ...rowIf('label', 'Labels', labelWords(context, state['label_ids'])),
    ...rowIf('sentiment_dissatisfied', 'Lost reason', reason),
    ...(flagField(state, 'is_archived') ? rowIf('inventory_2', 'State', 'Archived') : []),
  ];
}

const ACTOR_LABELS: Readonly<Partial<Record<EventType, string>>> = {
  'deal.created': 'Created by',
  'deal.won': 'Marked as won by',
  'deal.lost': 'Marked as lost by',
  'deal.reopened': 'Reopened by',
  'deal.deleted': 'Deleted by',
  'deal.archived': 'Archived by',
  'deal.restored': 'Restored by',
  'deal.merged': 'Merged by',
  'lead.converted': 'Converted by',
};
