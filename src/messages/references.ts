/** Which names a message will want, so that they can be gathered for many messages at once. Pure. */

import { idField, isObject, listField, organizationIdOf, ownerIdOf, textField } from '../core/record';
import type { TemplateMode } from '../core/rule';
import type { FieldChange, RecordChange } from '../core/transition';
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

/** Both sides of what changed. */
function changed(change: RecordChange): readonly Reference[] {
  const { transition, state } = change;
  switch (transition.type) {
    case 'deal.stage_changed':
      return [
        ...transition.changes.flatMap(sidesOf),
        ...one('stage', idField(state, 'stage_id')),
        ...one('pipeline', idField(state, 'pipeline_id')),
      ];
    case 'deal.pipeline_changed':
      return [
        ...transition.changes.flatMap(sidesOf),
        ...one('stage', idField(state, 'stage_id')),
        ...one('pipeline', idField(state, 'pipeline_id')),
      ];
    case 'deal.owner_changed':
      return transition.changes.flatMap(sidesOf);
    case 'deal.label_added':
      return [{ entity: 'dealField', id: 'label_ids' }];
    case 'deal.field_changed':
      return transition.changes.flatMap((fieldChange) => [
        ...one('dealField', keyOf(fieldChange.field)),
        ...sidesOf(fieldChange),
      ]);
    case 'deal.merged':
      return one('deal', keyOf(transition.relatedId ?? null));
    case 'lead.converted':
      return one('lead', keyOf(transition.relatedId ?? null));
    default:
      return [];
  }
}

/** What only detailed cards show. */
function extras({ state, actorUserId, entity }: RecordChange): readonly Reference[] {
  const contacts = [...one('person', idField(state, 'person_id')), ...one('organization', organizationIdOf(state))];
  const labels: readonly Reference[] =
    entity === 'deal' && listField(state, 'label_ids').length > 0 ? [{ entity: 'dealField', id: 'label_ids' }] : [];
  const place = [...one('pipeline', idField(state, 'pipeline_id')), ...one('stage', idField(state, 'stage_id'))];
  return [...one('user', actorUserId), ...contacts, ...(entity === 'deal' ? place : []), ...labels];
}

function sidesOf({ field, from, to }: FieldChange): readonly Reference[] {
  return [from, to].flatMap((value) => {
    const type = isObject(value) ? textField(value, 'type') : null;
    const entity = ID_FIELDS[field] ?? (type === null ? undefined : ID_FIELD_TYPES[type]);
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
