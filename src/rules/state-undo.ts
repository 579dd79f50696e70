/** An earlier state of a record, kept as what has to be undone to get back to it: a few fields instead of a second copy. Pure. */

import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { isObject, recordStateSchema, type RecordState } from '../core/record';

const fields = z.object({
  /** Fields that had another value, or that are gone. */
  old: recordStateSchema,
  /** Fields that were not there. */
  added: z.array(z.string()),
});

/** What leads from a later state back to an earlier one. */
export const stateUndoSchema = fields.extend({ custom: fields.optional() });
export type StateUndo = z.infer<typeof stateUndoSchema>;

const CUSTOM = 'custom_fields';

/** What has to be undone in `after` to get `before`; null when there was no record. */
export function undoTo(before: RecordState | null, after: RecordState): StateUndo | null {
  if (before === null) return null;
  const [customBefore, customAfter] = [before[CUSTOM], after[CUSTOM]];
  if (!isObject(customBefore) || !isObject(customAfter)) return difference(before, after);
  const custom = difference(customBefore, customAfter);
  return { ...difference({ ...before, [CUSTOM]: null }, { ...after, [CUSTOM]: null }), custom };
}

function difference(before: RecordState, after: RecordState): z.infer<typeof fields> {
  const isUnchanged = (key: string): boolean => Object.hasOwn(after, key) && isDeepStrictEqual(before[key], after[key]);
  return {
    old: Object.fromEntries(Object.entries(before).filter(([key]) => !isUnchanged(key))),
    added: Object.keys(after).filter((key) => !Object.hasOwn(before, key)),
  };
}

/** The earlier state. */
export function undone(after: RecordState, undo: StateUndo | null): RecordState | null {
  if (undo === null) return null;
  const state = withoutAdded(after, undo);
  const custom = after[CUSTOM];
  return undo.custom !== undefined && isObject(custom) ? { ...state, [CUSTOM]: withoutAdded(custom, undo.custom) } : state;
}

function withoutAdded(after: RecordState, { old, added }: z.infer<typeof fields>): RecordState {
  const gone = new Set(added);
  return Object.fromEntries([...Object.entries(after).filter(([key]) => !gone.has(key)), ...Object.entries(old)]);
}
