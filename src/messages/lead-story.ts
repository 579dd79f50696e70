/** What is said of leads that come in, go, or come back; a converted lead is told as a deal. */

import type { Row } from './cards';
import {
  actorIn,
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

export function leadStory(context: StoryContext): Story {
  const { change, format } = context;
  const isNew = change.transition.type === 'lead.created';
  const source = lineField(change.state, 'source_name');
  const shape = shapeOf(context);
  const summary: Row = {
    icon: shape.icon,
    label: ownerIn(context) ?? 'Value',
    text: valueText(valueIn(context)),
    below: joined(isNew ? source : null, format.dateTime(change.occurredAt)),
  };
  return {
    emoji: shape.emoji,
    headline: shape.headline,
    title: titleIn(context),
    link: linkTo(context, 'lead', change.entityId),
    gist: [valueIn(context), ownerIn(context)].filter((part) => part !== null),
    summary,
    lead: null,
    facts: [
      valueRow(context),
      ...ownerRows(context),
      ...contactRows(context),
      ...rowIf('link', 'Source', source),
      ...rowIf('event', 'Expected close', format.date(change.state['expected_close_date'])),
      ...rowIf('schedule', 'Created', format.date(change.state['add_time'])),
    ],
    more: rowIf('edit', shape.byLabel, actorIn(context)),
    passage: null,
  };
}

const CREATED = { emoji: '🌱', headline: 'New lead', icon: 'lightbulb', byLabel: 'Created by' } as const;
const ARCHIVED = { emoji: '📦', headline: 'Lead archived', icon: 'inventory_2', byLabel: 'Archived by' } as const;
const CONVERTED = { emoji: '🚀', headline: 'Lead converted', icon: 'handshake', byLabel: 'Converted by' } as const;

const RESTORED = { emoji: '↩️', headline: 'Lead restored', icon: 'unarchive', byLabel: 'Restored by' } as const;
const DELETED = { emoji: '🗑️', headline: 'Lead deleted', icon: 'delete', byLabel: 'Deleted by' } as const;

function shapeOf({ change }: StoryContext) {
  switch (change.transition.type) {
    case 'lead.archived':
      return ARCHIVED;
    case 'lead.converted':
      return CONVERTED;
    case 'lead.restored':
      return RESTORED;
    case 'lead.deleted':
      return DELETED;
    default:
      return CREATED;
  }
}
