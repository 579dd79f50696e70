/** How long a claimed space belongs to whoever claimed it. */

/** A lease outlives the longest attempt (names 2.5 s, POST 10 s); a killed worker's messages go out after it. */
export const LEASE_MS = 15_000;
/** A POST that begins so long after the lease was taken is over, and recorded, before that runs out. */
export const FRESH_MS = 4_000;
