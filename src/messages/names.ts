/** Names of what records refer to by id: who or what they are, and how to ask. A name that is not known is null, never the id. */

import type { RecordState } from '../core/record';
import { isObject, numberField, textField } from '../core/record';
import { oneLine } from './escape';

/** What a message may name. An `activityType`'s id is its key (`call`), a `dealField`'s its code (`label_ids`, a 40-character hash). */
export type NamedEntity =
  'user' | 'pipeline' | 'stage' | 'person' | 'organization' | 'deal' | 'lead' | 'activityType' | 'dealField';

export interface Reference {
  readonly entity: NamedEntity;
  readonly id: string;
}

export interface Named {
  readonly name: string;
  /** Of a stage. */
  readonly pipelineId: string | null;
  /** Of a stage: its place in the pipeline. */
  readonly position: number | null;
  /** Of a deal field: its type and the labels of its options by option id. */
  readonly fieldType: string | null;
  readonly options: ReadonlyMap<string, string>;
}

/** One tenant's names by `referenceKey`. */
export type Names = ReadonlyMap<string, Named>;

export const NO_NAMES: Names = new Map();

export function referenceKey(entity: NamedEntity, id: string | number): string {
  return `${entity}:${id}`;
}

export function namedOf(names: Names, entity: NamedEntity, id: string | number | null): Named | null {
  return id === null ? null : (names.get(referenceKey(entity, id)) ?? null);
}

export function nameOf(names: Names, entity: NamedEntity, id: string | number | null): string | null {
  return namedOf(names, entity, id)?.name ?? null;
}

/** The name in a record's state, as webhooks or either version of the API spell it; null when it has none. */
export function namedFrom(state: RecordState): Named | null {
  const written =
    textField(state, 'title') ?? textField(state, 'name') ?? textField(state, 'subject') ?? textField(state, 'field_name');
  const name = written === null ? null : oneLine(written);
  if (name === null) return null;
  const pipelineId = numberField(state, 'pipeline_id');
  return {
    name,
    pipelineId: pipelineId === null ? null : String(pipelineId),
    position: numberField(state, 'order_nr'),
    fieldType: textField(state, 'field_type'),
    options: optionsOf(state['options']),
  };
}

function optionsOf(value: unknown): ReadonlyMap<string, string> {
  if (!Array.isArray(value)) return new Map();
  return new Map(
    value.flatMap((option: unknown) => {
      if (!isObject(option)) return [];
      const [id, label] = [option['id'], textField(option, 'label')];
      const words = label === null ? null : oneLine(label);
      return words !== null && (typeof id === 'number' || typeof id === 'string') ? [[String(id), words] as const] : [];
    }),
  );
}
