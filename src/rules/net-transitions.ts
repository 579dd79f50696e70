/** The net change of a record since its settle window opened: its transitions and the old values of what changed. Pure. */

import { isObject, type RecordState } from '../core/record';
import type { FieldChange, Transition } from '../core/transition';
import { deriveTransitions, netChange, undoneState } from './derive-transitions';
import { isSame } from './same-value';
import type { WindowNow } from './settle-windows';
import type { Story } from './tell-story';

/** What a rule is measured by: transitions with the fields they changed. */
export interface Shown {
  readonly transitions: readonly Transition[];
  /** Null: the record was created by this change. */
  readonly previous: RecordState | null;
}

/** Merges and conversions are no matter of fields: a waiting message of one stays what it is. */
const STORIES: ReadonlySet<string> = new Set(['deal.merged', 'lead.converted']);

/** What an open window shows now, and the state from before it. */
export function netOfWindow({ was }: WindowNow, story: Story): Shown & { readonly before: RecordState | null } {
  const { entity, change, convertedFrom } = story;
  const { after } = change;
  const before = was === null ? null : undoneState(after ?? change.before ?? {}, was);
  const net = { entity, before, after, previous: was ?? {}, convertedFromLeadId: convertedFrom };
  return { transitions: withStory(deriveTransitions(net), story.transitions, after), previous: was, before };
}

/** What an open window had shown before this event. */
export function shownBeforeEvent({ wasBefore }: WindowNow, story: Story): Shown {
  const { entity, change, convertedFrom } = story;
  const before = wasBefore === null ? null : undoneState(change.before ?? {}, wasBefore);
  const net = { entity, before, after: change.before, previous: wasBefore ?? {}, convertedFromLeadId: convertedFrom };
  return { transitions: deriveTransitions(net), previous: wasBefore };
}

/** The net change from `before` to now. `told` is what a waiting message tells. */
export function netSince(before: RecordState | null, story: Story, told: readonly Transition[]): Shown {
  const transitions = netTransitions(before, story, told);
  return { transitions, previous: previousBetween(before, story.change.after, story, transitions) };
}

/** The transitions of the net change from `before` to now. */
export function netTransitions(before: RecordState | null, story: Story, told: readonly Transition[]): readonly Transition[] {
  const derived = transitionsBetween(before, story.change.after, story);
  if (story.change.after === null) return derived;
  const seen = [...told, ...story.transitions];
  return withStory(before === null ? derived : withPresent(derived, seen), seen, story.change.after);
}

function withStory(net: readonly Transition[], seen: readonly Transition[], after: RecordState | null): readonly Transition[] {
  const kept = after === null ? undefined : seen.find((transition) => STORIES.has(transition.type));
  return kept === undefined ? net : [kept, ...net.filter((transition) => transition.type !== kept.type)];
}

/** A custom field that was edited counts even where both sides carried one value: no net change can show it. */
function withPresent(net: readonly Transition[], seen: readonly Transition[]): readonly Transition[] {
  const type = 'deal.field_changed';
  const visible = net.find((transition) => transition.type === type)?.changes ?? [];
  const hidden = hiddenChanges(seen).filter(({ field }) => visible.every((change) => change.field !== field));
  if (hidden.length === 0) return net;
  const changes = [...visible, ...new Map(hidden.map((change) => [change.field, change])).values()];
  return [...net.filter((transition) => transition.type !== type), { type, changes }];
}

/** Custom fields that carried one value on both sides. */
function hiddenChanges(transitions: readonly Transition[]): readonly FieldChange[] {
  return transitions
    .filter(({ type }) => type === 'deal.field_changed')
    .flatMap(({ changes }) => changes)
    .filter(({ from, to }) => isSame(from, to));
}

function transitionsBetween(before: RecordState | null, after: RecordState | null, story: Story): readonly Transition[] {
  return deriveTransitions({ ...netChange(story.entity, before, after), convertedFromLeadId: story.convertedFrom });
}

function previousBetween(
  before: RecordState | null,
  after: RecordState | null,
  story: Story,
  transitions: readonly Transition[],
): RecordState | null {
  if (before === null) return null;
  const { previous } = netChange(story.entity, before, after);
  const hidden = Object.fromEntries(hiddenChanges(transitions).map(({ field, from }) => [field, from]));
  if (Object.keys(hidden).length === 0) return previous;
  return { ...previous, custom_fields: { ...hidden, ...customFields(previous) } };
}

/** The custom fields of a state; none where it has none. */
export function customFields(state: RecordState): RecordState {
  const custom = state['custom_fields'];
  return isObject(custom) ? custom : {};
}
