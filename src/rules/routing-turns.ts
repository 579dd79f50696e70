/**
 * How many batches of all tenants one process routes at once: one large one costs less than several small ones beside each other, and one
 * that takes long holds up nobody. It knows no database.
 */

type Turnstile = <T>(work: () => Promise<T>) => Promise<T>;

/** A batch that takes longer keeps its place from nobody. */
const SLOW_MS = 100;
/** Slow ones too: each holds a connection to the database. */
const MOST_AT_ONCE = 4;

/** Makes it; a turn is one batch, so a flooded tenant waits behind the others after each. `giveWay` is waited for in the turn. */
export function makeRoutingTurns({
  makeTurnstile,
  giveWay,
}: {
  readonly makeTurnstile: (places: number, slowMs?: number) => Turnstile;
  readonly giveWay: () => Promise<void>;
}): Turnstile {
  const takePlace = makeTurnstile(MOST_AT_ONCE);
  const takeTurn = makeTurnstile(1, SLOW_MS);
  return (route) =>
    takePlace(() =>
      takeTurn(async () => {
        await giveWay();
        return route();
      }),
    );
}
