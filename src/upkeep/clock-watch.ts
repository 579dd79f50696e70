/** Notices that the machine's wall clock was set back: whatever was put off by it until then would wait for the lost time to come again. */

interface Needs {
  readonly clock: () => Date;
  /** A clock that never jumps. */
  readonly nowMs: () => number;
  /** The wall clock is so much earlier than it would be by the other one. */
  readonly onSetBack: (byMs: number) => void;
}

/** Clocks are kept right by small steps all the time. */
const NOTABLE_MS = 30_000;

/** Makes the look at both clocks, to be called often; each jump is told once. */
export function makeClockWatch({ clock, nowMs, onSetBack }: Needs): () => void {
  const difference = (): number => clock().getTime() - nowMs();
  let known = difference();
  return () => {
    const current = difference();
    if (current < known - NOTABLE_MS) onSetBack(known - current);
    known = current;
  };
}
