/** Ids that count up, so that every run of the stand-in looks the same. */

export type Ids = {
  /** The next number of a kind of thing, from 1 (or from what `startAt` said). */
  next(kind: string): number;
  startAt(kind: string, first: number): void;
  /** A well-formed version 4 UUID whose last digits count up. */
  uuid(): string;
};

export function makeIds(): Ids {
  const last = new Map<string, number>();
  const next = (kind: string): number => {
    const id = (last.get(kind) ?? 0) + 1;
    last.set(kind, id);
    return id;
  };
  return {
    next,
    startAt: (kind, first) => void last.set(kind, first - 1),
    uuid: () => `5eed0000-0000-4000-8000-${next('uuid').toString(16).padStart(12, '0')}`,
  };
}
