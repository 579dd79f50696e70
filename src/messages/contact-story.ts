/** What is said of persons and organizations that come or go. */

import { isObject, organizationIdOf, textField, type RecordState } from '../core/record';
import type { Row } from './cards';
import { oneLine } from './escape';
import { nameOf } from './names';
import { bold, quiet, words } from './rich-text';
import { actorIn, contactRows, joined, linkTo, ownerIn, ownerRows, rowIf, titleIn, type Story, type StoryContext } from './story';

export function personStory(context: StoryContext): Story {
  const { change, names, format } = context;
  const [email, phone] = [primaryOf(change.state, 'emails'), primaryOf(change.state, 'phones')];
  const organization = nameOf(names, 'organization', organizationIdOf(change.state));
  const job = primaryText(change.state, 'job_title');
  return {
    ...common(context, 'person'),
    emoji: isGone(context) ? '🗑️' : '👤',
    headline: isGone(context) ? 'Person deleted' : 'New person',
    gist: [organization, ownerIn(context)].filter((part) => part !== null),
    summary: {
      icon: isGone(context) ? 'person_remove' : 'person_add',
      label: organization ?? 'Person',
      text: bold(email ?? phone ?? titleIn(context)),
      below: joined(email === null ? null : phone, ownerIn(context)),
    },
    facts: [
      ...contactRows(context),
      ...ownerRows(context),
      ...rowIf('account_circle', 'Job title', job),
      ...rowIf('mail', 'Email', email),
      ...rowIf('call', 'Phone', phone),
      ...rowIf('schedule', 'Created', format.date(change.state['add_time'])),
      ...rowIf('edit', actorLabel(context), actorIn(context)),
    ],
  };
}

export function organizationStory(context: StoryContext): Story {
  const { change, format } = context;
  const address = addressOf(change.state);
  const website = primaryText(change.state, 'website');
  return {
    ...common(context, 'organization'),
    emoji: isGone(context) ? '🗑️' : '🏢',
    headline: isGone(context) ? 'Organization deleted' : 'New organization',
    gist: [address, ownerIn(context)].filter((part) => part !== null),
    summary: {
      icon: 'apartment',
      label: ownerIn(context) ?? 'Organization',
      text: address === null ? quiet('No address') : words(address),
      below: format.dateTime(change.occurredAt),
    },
    facts: [
      ...rowIf('location_on', 'Address', address),
      ...rowIf('link', 'Website', website),
      ...ownerRows(context),
      ...rowIf('schedule', 'Created', format.date(change.state['add_time'])),
      ...rowIf('edit', actorLabel(context), actorIn(context)),
    ],
  };
}

const isGone = ({ change }: StoryContext): boolean => change.transition.type.endsWith('.deleted');

const actorLabel = (context: StoryContext): string => (isGone(context) ? 'Deleted by' : 'Created by');

type Common = Pick<Story, 'title' | 'link' | 'lead' | 'more' | 'passage'>;

function common(context: StoryContext, entity: 'person' | 'organization'): Common {
  const more: readonly Row[] = [];
  return { title: titleIn(context), link: linkTo(context, entity, context.change.entityId), lead: null, more, passage: null };
}

/** The primary e-mail address or phone number, else the first. */
function primaryOf(state: RecordState, field: string): string | null {
  const list = state[field];
  if (!Array.isArray(list)) return null;
  const entries = list.filter(isObject);
  const entry = entries.find((candidate) => candidate['primary'] === true) ?? entries[0];
  return entry === undefined ? null : primaryText(entry, 'value');
}

/** Text, or an address object with its text inside; null when unset. */
function addressOf(state: RecordState): string | null {
  const address = state['address'];
  if (!isObject(address)) return primaryText(state, 'address');
  return primaryText(address, 'formatted_address') ?? primaryText(address, 'value');
}

function primaryText(state: RecordState, field: string): string | null {
  const text = textField(state, field);
  return text === null ? null : oneLine(text);
}
