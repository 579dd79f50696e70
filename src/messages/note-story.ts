/** What is said of a note that was written or deleted: its words, its author and the record it was written on. */

import { textField } from '../core/record';
import { wordsOfHtml } from './escape';
import { homeOf, parentsOf, type LinkedEntity } from './links';
import { nameOf } from './names';
import { quiet, words } from './rich-text';
import { contactRows, joined, linkTo, linkedRow, ownerIn, rowIf, type Story, type StoryContext } from './story';

/** Graphemes of a note that a one-line message shows. */
const GIST_LIMIT = 120;

export function noteStory(context: StoryContext): Story {
  const { change, format } = context;
  const home = homeOf({ entity: 'note', id: change.entityId }, change.state);
  const content = textField(change.state, 'content');
  const text = content === null ? null : wordsOfHtml(content);
  const author = ownerIn(context);
  const when = format.dateTime(change.state['add_time']) ?? format.dateTime(change.occurredAt);
  const isGone = change.transition.type === 'note.deleted';
  const on = home.entity === 'note' ? null : ` on ${article(home.entity)}`;
  return {
    emoji: isGone ? '🗑️' : '📝',
    headline: isGone ? `Note${on ?? ''} deleted` : on === null ? 'New note' : `Note${on}`,
    title: homeName(context, home.entity, home.id),
    link:
      home.entity === 'note'
        ? { ...linkTo(context, 'deal', ''), label: 'Open Pipedrive' }
        : linkTo(context, home.entity, home.id),
    gist: [text?.slice(0, GIST_LIMIT).replace(/\s+/g, ' ') ?? null, author].filter((part) => part !== null),
    summary: {
      icon: 'sticky_note_2',
      label: author === null ? 'Note' : 'Author',
      text: words(author ?? 'New note'),
      below: joined(when),
    },
    lead: null,
    facts: [
      ...rowIf('person', 'Author', author),
      ...rowIf('schedule', 'Written', when),
      ...parentRow(context),
      ...contactRows(context),
    ],
    more: [],
    passage: { text: text === null ? quiet('An empty note') : words(text), isNews: true },
  };
}

/** The record's name; "Untitled deal" when it is not known. */
function homeName({ names }: StoryContext, entity: LinkedEntity, id: string): string {
  if (entity === 'note' || entity === 'activity') return 'Note';
  return nameOf(names, entity, id) ?? `A ${entity}`.replace('A organization', 'An organization');
}

function article(entity: LinkedEntity): string {
  return `${entity === 'organization' ? 'an' : 'a'} ${entity}`;
}

function parentRow(context: StoryContext) {
  return parentsOf(context.change.state).flatMap(({ entity, id }) =>
    entity === 'deal' || entity === 'lead'
      ? linkedRow(context, { icon: 'handshake', label: entity === 'deal' ? 'Deal' : 'Lead', entity, id })
      : [],
  );
}
