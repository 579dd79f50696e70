/**
 * Tells a message whose preparation alone meets time limits of the database from a database that is slow for a moment, or for everybody. In
 * memory: a process that starts begins anew.
 */

/** So often a message may meet one in a row before others of its space go first. */
const PATIENT_LIMITS = 3;
const MAX_KNOWN = 1_000;

export interface TimeLimit {
  /** In a row for this message. */
  readonly times: number;
  /** Since the last message that was made ready no other one has met a time limit. */
  readonly isAlone: boolean;
}

export interface TimeLimits {
  /** It met one the last time that it was prepared. */
  has(id: number): boolean;
  /** It was made ready. */
  passed(id: number): void;
  /** Null: it may be the moment's. */
  met(id: number): TimeLimit | null;
}

/** Makes it for one process. */
export function makeTimeLimits(): TimeLimits {
  const timesOf = new Map<number, number>();
  const sincePassed = new Set<number>();

  return {
    has: (id) => timesOf.has(id),
    passed(id) {
      timesOf.delete(id);
      sincePassed.clear();
    },
    met(id) {
      if (timesOf.size >= MAX_KNOWN) timesOf.clear();
      const times = (timesOf.get(id) ?? 0) + 1;
      timesOf.set(id, times);
      sincePassed.add(id);
      return times < PATIENT_LIMITS ? null : { times, isAlone: sincePassed.size === 1 };
    },
  };
}
