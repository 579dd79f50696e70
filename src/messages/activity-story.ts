/** What is said of activities: what kind, when, whose, and about which deal or contact. */

import { textField, type RecordState } from '../core/record';
import type { EventType } from '../core/transition';
import { oneLine, wordsOfHtml } from './escape';
import { dueOf } from './format';
import { homeOf, parentsOf } from './links';
import { nameOf } from './names';
import { bold, quiet, words } from './rich-text';
import {
  actorIn,
  changeOf,
  contactRows,
  joined,
  linkTo,
  linkedRow,
  ownerIn,
  ownerRows,
  rowIf,
  titleIn,
  type Story,
  type StoryContext,
} from './story';

const NOTE_LIMIT = 600;

const TYPE_ICONS: ReadonlyMap<string, string> = new Map<string, string>(
  Object.entries({
    call: 'call',
    meeting: 'groups',
    task: 'checklist',
    deadline: 'flag',
    email: 'mail',
    lunch: 'restaurant',
  }),
);

export function activityStory(context: StoryContext): Story {
  const { change, format } = context;
  const isDone = change.transition.type === 'activity.completed';
  const shape = SHAPES[change.transition.type] ?? PLANNED;
  const type = typeWords(context);
  const due = format.dateTime(dueOf(change.state['due_date'], change.state['due_time']));
  const done = format.dateTime(change.state['marked_as_done_time']) ?? format.dateTime(change.occurredAt);
  const home = homeOf({ entity: 'activity', id: change.entityId }, change.state);
  const about = joined(...parentsOf(change.state).map(({ entity, id }) => nameOf(context.names, entity, id)));
  const icon = TYPE_ICONS.get(textField(change.state, 'type') ?? '') ?? 'event_note';
  return {
    emoji: shape.emoji,
    headline: `${type ?? 'Activity'} ${shape.verb}`,
    title: titleIn(context),
    link: linkTo(context, home.entity, home.id),
    gist: [isDone ? null : due, about, ownerIn(context)].filter((part) => part !== null),
    summary: {
      icon: shape.icon ?? icon,
      label: ownerIn(context) ?? type ?? 'Activity',
      text: isDone ? bold(`Done ${done ?? ''}`.trim(), 'good') : due === null ? quiet('No due date') : bold(`Due ${due}`),
      below: about,
    },
    lead: null,
    facts: [
      ...rowIf(icon, 'Type', type),
      ...ownerRows(context),
      ...rowIf('event', 'Due', due),
      ...rowIf('history', 'Was due', formerDue(context)),
      ...(isDone ? rowIf('task_alt', 'Done', done) : []),
      ...parentRows(context),
      ...contactRows(context),
      ...rowIf('location_on', 'Location', locationOf(change.state)),
      ...rowIf('edit', shape.byLabel, actorIn(context)),
    ],
    more: [],
    passage: passageOf(change.state),
  };
}

interface Shape {
  readonly emoji: string;
  /** After the kind of activity: "Call done". */
  readonly verb: string;
  /** Null: that of the kind. */
  readonly icon: string | null;
  readonly byLabel: string;
}

const PLANNED: Shape = { emoji: '🗓️', verb: 'planned', icon: null, byLabel: 'Planned by' };
const SHAPES: Readonly<Partial<Record<EventType, Shape>>> = {
  'activity.completed': { emoji: '✅', verb: 'done', icon: 'task_alt', byLabel: 'Done by' },
  'activity.reopened': { emoji: '↩️', verb: 'reopened', icon: 'restart_alt', byLabel: 'Reopened by' },
  'activity.rescheduled': { emoji: '📅', verb: 'rescheduled', icon: 'event_repeat', byLabel: 'Rescheduled by' },
  'activity.deleted': { emoji: '🗑️', verb: 'deleted', icon: 'delete', byLabel: 'Deleted by' },
};

/** Of a rescheduled activity; null for any other. */
function formerDue(context: StoryContext): string | null {
  if (context.change.transition.type !== 'activity.rescheduled') return null;
  const { state } = context.change;
  const [date, time] = [changeOf(context, 'due_date'), changeOf(context, 'due_time')];
  const former = dueOf(date === null ? state['due_date'] : date.from, time === null ? state['due_time'] : time.from);
  return context.format.dateTime(former);
}

/** The type as the company calls it; Pipedrive's own key in words until it could be asked. */
function typeWords({ change, names }: StoryContext): string | null {
  const key = textField(change.state, 'type');
  if (key === null) return null;
  const name = nameOf(names, 'activityType', key) ?? oneLine(key.replace(/[_-]+/g, ' '));
  return name === null ? null : name.charAt(0).toUpperCase() + name.slice(1);
}

function parentRows(context: StoryContext) {
  const { state } = context.change;
  return parentsOf(state).flatMap(({ entity, id }) =>
    entity === 'deal' || entity === 'lead'
      ? linkedRow(context, { icon: 'handshake', label: entity === 'deal' ? 'Deal' : 'Lead', entity, id })
      : [],
  );
}

function locationOf(state: RecordState): string | null {
  const location = state['location'];
  const holder = typeof location === 'object' && location !== null ? { ...location } : { value: location };
  const text = textField(holder, 'formatted_address') ?? textField(holder, 'value');
  return text === null ? null : oneLine(text);
}

function passageOf(state: RecordState) {
  const note = textField(state, 'note') ?? textField(state, 'public_description');
  const text = note === null ? null : wordsOfHtml(note.slice(0, NOTE_LIMIT * 10));
  return text === null ? null : { text: words(text), isNews: false };
}
