/** Which names a message will want, so that they can be gathered for many messages at once. Pure. */

import { idField, isObject, listField, organizationIdOf, ownerIdOf, textField, type RecordState } from '../core/record';
import type { TemplateMode } from '../core/rule';
import type { FieldChange, RecordChange } from '../core/transition';
import { alsoChanged } from './also-changed';
import { ID_FIELD_TYPES, ID_FIELDS } from './field-words';
import { parentsOf } from './links';
import { referenceKey, type NamedEntity, type Reference } from './names';

/** More than this many would be no message any more. */
const MAX_REFERENCES = 60;

/** @param template a rule's own text may ask for any name, so that all are gathered for it */
export function referencesOf(change: RecordChange, mode: TemplateMode, template: string | null = null): readonly Reference[] {
  const isFull = mode === 'detailed' || template !== null;
  const wanted = [...essentials(change), ...changed(change), ...(isFull ? extras(change) : [])];
  const unique = new Map(wanted.map((reference) => [referenceKey(reference.entity, reference.id), reference]));
  return [...unique.values()].slice(0, MAX_REFERENCES);
}

function essentials(change: RecordChange): readonly Reference[] {
  const { state } = change;
  const owner = one('user', ownerIdOf(state));
  switch (change.entity) {
    case 'deal':
    case 'lead':
    case 'organization':
      return owner;
    case 'person':
      return [...owner, ...one('organization', organizationIdOf(state))];
    case 'note':
      return [...owner, ...parentsOf(state)];
    case 'activity':
      return [...owner, ...parentsOf(state), ...one('activityType', keyOf(textField(state, 'type')))];
    default:
      return change.entity satisfies never;
  }
}

/** Both sides of what changed, and the other record of the story. */
function changed({ transition, state }: RecordChange): readonly Reference[] {
  const { type, changes, relatedId = null } = transition;
  const hasMoved = type === 'deal.stage_changed' || type === 'deal.pipeline_changed';
  return [
    ...changes.flatMap(sidesOf),
    ...(hasMoved ? placeOf(state) : []),
    ...(type === 'deal.label_added' || type === 'deal.label_removed' ? LABELS : []),
    ...(type === 'deal.field_changed' ? changes : alsoChanged(transition)).flatMap(({ field }) => one('dealField', keyOf(field))),
    ...(type === 'deal.merged' ? one('deal', keyOf(relatedId)) : []),
    ...(type === 'lead.converted' ? one('lead', keyOf(relatedId)) : []),
  ];
}

/** What only detailed cards show. */
function extras({ state, actorUserId, entity }: RecordChange): readonly Reference[] {
  const contacts = [...one('person', idField(state, 'person_id')), ...one('organization', organizationIdOf(state))];
  const ofDeal = entity === 'deal' ? [...placeOf(state), ...(listField(state, 'label_ids').length > 0 ? LABELS : [])] : [];
  return [...one('user', actorUserId), ...contacts, ...ofDeal];
}

/** Deal labels are the options of a field. */
const LABELS: readonly Reference[] = [{ entity: 'dealField', id: 'label_ids' }];

function placeOf(state: RecordState): readonly Reference[] {
  return [...one('stage', idField(state, 'stage_id')), ...one('pipeline', idField(state, 'pipeline_id'))];
}

function sidesOf({ field, from, to }: FieldChange): readonly Reference[] {
  return [from, to].flatMap((value) => {
    const type = isObject(value) ? textField(value, 'type') : null;
    const entity = ID_FIELDS.get(field) ?? (type === null ? undefined : ID_FIELD_TYPES.get(type));
    if (entity === undefined) return [];
    return one(entity, isObject(value) ? idField(value, 'id') : idField({ value }, 'value'));
  });
}

function one(entity: NamedEntity, id: number | string | null): readonly Reference[] {
  return id === null ? [] : [{ entity, id: String(id) }];
}

/** Keys become parts of a request's path: only what can be one is asked for. */
function keyOf(key: string | null): string | null {
  return key !== null && /^[\w-]{1,64}$/.test(key) ? key : null;
}
