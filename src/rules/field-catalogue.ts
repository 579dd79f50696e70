/** The fields of one kind of record in one company: found by key or by human name, each with its type and the choices it has. Pure. */

import type { RecordEntity } from '../core/record';
import { nearest } from './nearest-names';
import { entityOfField, isCustomField, referenceOfField, type ReferenceEntity } from './references';
import {
  EVENT_FIELDS,
  OTHER_NAMES,
  STANDARD_FIELDS,
  typeOfCustomField,
  typeOfPart,
  WORDS,
  type FieldType,
} from './standard-fields';

/** Something that a field's value may be. */
export interface Choice {
  readonly id: string;
  readonly name: string;
  /** What tells it from others of the same name: a stage's pipeline, a user's e-mail address. */
  readonly beside: string | null;
}

/** A field as Pipedrive's fields API lists it. */
export interface ListedField {
  readonly key: string;
  readonly name: string | null;
  readonly fieldType: string | null;
  readonly options: readonly Choice[] | null;
}

/** What is known of a company, as far as one kind of record needs it. */
export interface KnownFields {
  readonly entity: RecordEntity;
  readonly fields: readonly ListedField[];
  /** Users, stages, labels of leads, ...: what the values of fields are ids of. */
  readonly choices: ReadonlyMap<ReferenceEntity, readonly Choice[]>;
  /** Whether the whole list of this kind was ever read. */
  readonly isListed: (entity: ReferenceEntity) => boolean;
}

export interface Field {
  /** As webhooks name it; of a part of a custom field with the part's name. */
  readonly key: string;
  /** As people call it. */
  readonly name: string;
  readonly type: FieldType;
  /** What its values are ids of; null for options of its own and for plain values. */
  readonly entity: ReferenceEntity | null;
  /** What it can be; null when that is not known or when it can be anything. */
  readonly choices: readonly Choice[] | null;
}

export type FoundField = { readonly field: Field } | { readonly problem: string };

/** What a record of this kind is called in a sentence. */
export const RECORD_WORDS: Readonly<Record<RecordEntity, string>> = {
  deal: 'deals',
  lead: 'leads',
  person: 'persons',
  organization: 'organizations',
  activity: 'activities',
  note: 'notes',
};

/**
 * The field of this key or name. A custom key that is not listed is taken as it is (whether it is gone is for the check of references),
 * any other name that is not known is a problem that says which names come near.
 */
export function findField(known: KnownFields, given: string): FoundField {
  const name = given.trim().replace(/^custom_fields\./, '');
  const key = webhookKey(known.entity, name);
  const byKey = fieldOfKey(known, key);
  if (byKey !== null) return { field: byKey };
  const named = known.fields.filter((field) => isSameName(field.name, name));
  const custom = named.filter((field) => isCustomField(field.key));
  const [first, second] = custom.length > 0 ? custom : named;
  if (first === undefined) return { problem: unknownField(known, given) };
  if (second !== undefined) return { problem: severalFields(given, custom.length > 0 ? custom : named) };
  const field = fieldOfKey(known, webhookKey(known.entity, first.key)) ?? listedField(known, first, first.key);
  return { field };
}

/** The fields API and people call some fields otherwise than webhooks. */
function webhookKey(entity: RecordEntity, name: string): string {
  const others = OTHER_NAMES[entity];
  return Object.hasOwn(others, name) ? (others[name] ?? name) : name;
}

function fieldOfKey(known: KnownFields, key: string): Field | null {
  const event = Object.hasOwn(EVENT_FIELDS, key) ? EVENT_FIELDS[key] : undefined;
  const type = event ?? standardType(known.entity, key);
  const listed = known.fields.find((field) => field.key === referenceOfField(key, known.entity).id) ?? null;
  if (type !== undefined) return { ...described(known, key, listed), type };
  if (listed !== null) return listedField(known, listed, key);
  return isCustomField(key) ? { key, name: 'this custom field', type: 'unknown', entity: null, choices: null } : null;
}

function standardType(entity: RecordEntity, key: string): FieldType | undefined {
  const fields = STANDARD_FIELDS[entity];
  return Object.hasOwn(fields, key) ? fields[key] : undefined;
}

/** A custom field or a part of one, or a standard field that only the fields API names. */
function listedField(known: KnownFields, listed: ListedField, key: string): Field {
  const whole = typeOfCustomField(listed.fieldType);
  const part = key === listed.key ? null : key.slice(listed.key.length + 1);
  const field = described(known, key, listed);
  if (part === null) return { ...field, type: whole };
  return { ...field, name: `${field.name} (${part})`, type: typeOfPart(whole, part), entity: null, choices: null };
}

function described({ entity: of, choices }: KnownFields, key: string, listed: ListedField | null): Omit<Field, 'type'> {
  const entity = entityOfField(key, listed?.fieldType ?? null, of);
  const words = WORDS[key]?.map((word): Choice => ({ id: word, name: word, beside: null })) ?? null;
  return {
    key,
    name: isCustomField(key) ? (listed?.name ?? 'this custom field') : key,
    entity,
    choices: entity === null ? (words ?? listed?.options ?? null) : (choices.get(entity) ?? null),
  };
}

export function isSameName(left: string | null, right: string): boolean {
  return left !== null && left.trim().toLowerCase() === right.trim().toLowerCase();
}

function unknownField({ entity, fields }: KnownFields, given: string): string {
  const elsewhere = Object.entries(STANDARD_FIELDS).find(([, names]) => Object.hasOwn(names, given));
  const hint = elsewhere === undefined ? '' : ` (${elsewhere[0]} records have it)`;
  const names = [
    ...Object.keys(STANDARD_FIELDS[entity]),
    ...Object.keys(EVENT_FIELDS),
    ...fields.flatMap(({ name }) => name ?? []),
  ];
  return `“${given}” is no field of ${RECORD_WORDS[entity]}${hint}.${nearest(given, names)}`;
}

function severalFields(given: string, fields: readonly ListedField[]): string {
  return `There are several fields called “${given}”: name the one that is meant by its key, ${fields.map(({ key }) => key).join(' or ')}.`;
}
