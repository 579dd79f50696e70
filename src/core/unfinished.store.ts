/** How statements of several stages say that a message is on its way: all of them must say it alike. */

/**
 * Whether the message `d` is unfinished, as the index `deliveries_unfinished` says it, and nothing else: by any other words for the same that
 * index is not considered.
 */
export const isUnfinished = (d: string): string => `(${d}.state || '') IN ('queued', 'sending', 'held')`;
