/** What the message of a moment (won, archived) tells beside it: a watch tells in one message all that changed with it. Pure. */

import type { EventType, FieldChange, Transition } from '../core/transition';

/** Null: it has none. */
const OWN_FIELDS: Readonly<Partial<Record<EventType, string | null>>> = {
  'deal.won': 'status',
  'deal.lost': 'status',
  'deal.reopened': 'status',
  'deal.archived': 'is_archived',
  'deal.restored': 'is_archived',
  'deal.merged': null,
};

export function alsoChanged({ type, changes }: Pick<Transition, 'type' | 'changes'>): readonly FieldChange[] {
  const own = OWN_FIELDS[type];
  return own === undefined ? [] : changes.filter(({ field }) => field !== own);
}
