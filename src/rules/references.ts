/** What rules and reasons refer to by id: users, pipelines, stages, fields and their options, as far as they are known. Pure. */

import { idField, isObject, textField, type RecordEntity, type RecordState } from '../core/record';

export const FIELD_ENTITIES = ['dealField', 'personField', 'organizationField', 'activityField'] as const;
/** A field's id is its key (`label_ids`, a 40-character hash). */
export type FieldEntity = (typeof FIELD_ENTITIES)[number];

export const REFERENCE_ENTITIES = [
  ...(['user', 'pipeline', 'stage', 'person', 'organization', 'deal', 'lead'] as const),
  /** By UUID and by key (`call`). */
  ...(['leadLabel', 'activityType'] as const),
  ...FIELD_ENTITIES,
] as const;
export type ReferenceEntity = (typeof REFERENCE_ENTITIES)[number];

export interface Reference {
  readonly entity: ReferenceEntity;
  readonly id: string;
}

/** What is known of one of them. */
export interface KnownReference {
  readonly name: string | null;
  /** What became of it; null while it is there. */
  readonly gone: 'deleted' | 'deactivated' | null;
  /** Of a field: its type, such as `enum`, and the labels of its options by id (null: the field has none). */
  readonly fieldType: string | null;
  readonly options: ReadonlyMap<string, string> | null;
  /** Labels of options that the field had once; absent when it lost none. */
  readonly formerOptions?: ReadonlyMap<string, string>;
}

export interface KnownReferences {
  find(entity: ReferenceEntity, id: string | number): KnownReference | null;
  /** Whether the tenant's whole list of this kind has been read once: only then an unknown id means something. */
  isListed(entity: ReferenceEntity): boolean;
}

/** Standard fields whose value is another record's id. */
const ID_FIELDS: Readonly<Record<string, ReferenceEntity>> = {
  owner_id: 'user',
  user_id: 'user',
  creator_user_id: 'user',
  creator_id: 'user',
  actor_user_id: 'user',
  pipeline_id: 'pipeline',
  stage_id: 'stage',
  person_id: 'person',
  org_id: 'organization',
  organization_id: 'organization',
  deal_id: 'deal',
  lead_id: 'lead',
  update_user_id: 'user',
  last_update_user_id: 'user',
};

/** Where a field of one kind of record means something of its own. */
const OWN_ID_FIELDS: Partial<Readonly<Record<RecordEntity, Readonly<Record<string, ReferenceEntity>>>>> = {
  lead: { label_ids: 'leadLabel' },
  activity: { type: 'activityType' },
};

function idFieldOf(field: string, of: RecordEntity): ReferenceEntity | null {
  return OWN_ID_FIELDS[of]?.[field] ?? (Object.hasOwn(ID_FIELDS, field) ? (ID_FIELDS[field] ?? null) : null);
}

/** Where the fields of a kind of record are listed: leads have those of deals; notes have none of their own. */
export function fieldEntityOf(of: RecordEntity): FieldEntity {
  const known = FIELD_ENTITIES.find((entity) => entity === `${of}Field`);
  return known ?? 'dealField';
}

/** Types of custom fields whose value is another record's id. */
const ID_FIELD_TYPES: Readonly<Record<string, ReferenceEntity>> = { user: 'user', people: 'person', org: 'organization' };

/** What a field's values are ids of; null for a field with values of its own. */
export function entityOfField(field: string, fieldType: string | null, of: RecordEntity): ReferenceEntity | null {
  return idFieldOf(field, of) ?? ID_FIELD_TYPES[fieldType ?? ''] ?? null;
}

/** Everything that a field's value may refer to: while a custom field's type is not known, an id may be anybody's. */
export function referencesOfValue(field: string, value: unknown, of: RecordEntity): readonly Reference[] {
  const id = idOf(value);
  if (id === null || id.length > 100) return [];
  const entity = idFieldOf(field, of);
  if (entity !== null) return NAMED_BY_TEXT.has(entity) || isNumber(id) ? [{ entity, id }] : [];
  if (!isNumber(id)) return [];
  return isCustomField(field) ? Object.values(ID_FIELD_TYPES).map((kind) => ({ entity: kind, id })) : [];
}

const NAMED_BY_TEXT: ReadonlySet<ReferenceEntity> = new Set(['lead', 'leadLabel', 'activityType']);
const isNumber = (id: string): boolean => /^\d{1,15}$/.test(id);

/** The field itself, under the key of its definition: a part of a custom field (`<key>_currency`) belongs to the whole. */
export function referenceOfField(field: string, of: RecordEntity): Reference & { readonly entity: FieldEntity } {
  return { entity: fieldEntityOf(of), id: customFieldKey(field) ?? field };
}

/** A custom field is named by 40 hexadecimal digits. */
export function isCustomField(field: string): boolean {
  return customFieldKey(field) !== null;
}

function customFieldKey(field: string): string | null {
  return /^([\da-f]{40})(?:_\w+)?$/.exec(field)?.[1] ?? null;
}

/** The id in a value: bare, or kept with the name it had as `{id, name}`; null for anything else. */
export function idOf(value: unknown): string | null {
  const id = isObject(value) ? value['id'] : value;
  return typeof id === 'number' || (typeof id === 'string' && id !== '') ? String(id) : null;
}

/** Each reference once. */
export function distinct(references: readonly Reference[]): readonly Reference[] {
  return [...new Map(references.map((reference) => [`${reference.entity} ${reference.id}`, reference])).values()];
}

/** Reads a row of `records`: pipelines, stages and users say `active_flag`, some answers `is_deleted`. */
export function knownFrom(entity: ReferenceEntity, state: RecordState, isDeleted: boolean): KnownReference {
  return {
    name: textField(state, 'name') ?? textField(state, 'title') ?? textField(state, 'field_name'),
    gone: goneFrom(entity, state, isDeleted),
    fieldType: textField(state, 'field_type'),
    options: optionsOf(state['options']),
    ...(isObject(state['former_options']) && { formerOptions: labelsIn(state['former_options']) }),
  };
}

function goneFrom(entity: ReferenceEntity, state: RecordState, isDeleted: boolean): KnownReference['gone'] {
  if (isDeleted || state['is_deleted'] === true) return 'deleted';
  const isInactive = [false, 0, '0'].some((no) => state['active_flag'] === no);
  return isInactive ? (entity === 'user' ? 'deactivated' : 'deleted') : null;
}

function labelsIn(former: Readonly<Record<string, unknown>>): ReadonlyMap<string, string> {
  return new Map(Object.entries(former).flatMap(([id, label]) => (typeof label === 'string' ? [[id, label] as const] : [])));
}

function optionsOf(options: unknown): ReadonlyMap<string, string> | null {
  if (!Array.isArray(options)) return null;
  return new Map(
    options.flatMap((option: unknown) => {
      if (!isObject(option)) return [];
      const id = idField(option, 'id') ?? textField(option, 'id');
      const label = textField(option, 'label');
      return id === null || label === null ? [] : [[String(id), label] as const];
    }),
  );
}
