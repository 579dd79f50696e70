/** What a form sent, as a browser encodes it: texts by name, and several where a name stands several times. Pure. */

import { z } from 'zod';

export interface FormValues {
  /** The text without the space around it; empty when the field was not sent. */
  text(name: string): string;
  /** Null when the field is empty or was not sent. */
  optional(name: string): string | null;
  /** Null when it is empty; NaN when it is no number, so that whoever judges it refuses it. */
  amount(name: string): number | null;
  /** Every value of this name. */
  all(name: string): readonly string[];
  /** Every name that was sent. */
  names(): readonly string[];
  /** Whether the box was ticked (or the button of this name was pressed). */
  has(name: string): boolean;
}

const bodySchema = z.record(z.string(), z.union([z.string(), z.array(z.string())])).catch({});

/** Reads a parsed body or query; what is no text is left out. */
export function readForm(body: unknown): FormValues {
  const fields = new Map(Object.entries(bodySchema.parse(body ?? {})));
  const all = (name: string): readonly string[] => {
    const value = fields.get(name);
    if (value === undefined) return [];
    return typeof value === 'string' ? [value] : value;
  };
  const text = (name: string): string => (all(name)[0] ?? '').trim();
  const optional = (name: string): string | null => text(name) || null;
  return {
    ...{ text, optional, all },
    amount: (name) => (text(name) === '' ? null : Number(text(name).replaceAll(/[\s']/g, ''))),
    names: () => [...fields.keys()],
    has: (name) => fields.has(name),
  };
}
