/** Calls to the database that come together share a statement. */

import { isConnectionTrouble } from './database-errors';
import { microBatch } from './micro-batch';

const MOST_CALLS = 100;

interface Sharing {
  /** Statements at a time. */
  readonly inFlight?: number;
  /** Two of fewer calls each than are `enough` (than may be in one, unless said otherwise) begin so far apart. */
  readonly spacingMs?: number;
  readonly enough?: number;
}

/**
 * Turns `write` (many calls at once, answers in the same order) into a function for one call. A statement that fails for what it was given
 * is tried call by call, so that one takes no others with it; when the database cannot be reached all fail.
 */
export function shareStatement<In, Out>(
  write: (calls: readonly In[]) => Promise<readonly Out[]>,
  { inFlight = 2, ...spacing }: Sharing = {},
): (call: In) => Promise<Out> {
  return microBatch(write, { maxItems: MOST_CALLS, inFlight, ...spacing, isItemFault: (error) => !isConnectionTrouble(error) });
}
