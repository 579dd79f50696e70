/** A delivery is a message owed to one destination; its states, and what one attempt to send it can come to. */

export const DELIVERY_STATES = ['queued', 'sending', 'sent', 'held', 'folded', 'dropped', 'failed'] as const;

export const FINISHED_STATES = ['dropped', 'failed', 'folded', 'sent'] as const;
/** States in which a delivery is still on its way and must not be replayed. */
export const UNFINISHED_STATES = ['queued', 'sending', 'held'] as const;

/** What a message is that tells several deliveries: a backlog, what came in quiet hours, or a digest. */
export const FOLD_KINDS = ['backlog', 'quiet', 'daily', 'weekly'] as const;
export type FoldKind = (typeof FOLD_KINDS)[number];

/** What a held delivery waits for, when it is a time and no repair. */
export type HeldFor = Exclude<FoldKind, 'backlog'>;
/** Why a delivery is held for its destination's sake. */
export type HoldCause = 'broken' | 'paused';

/** What one POST to Google Chat came to. */
export type DeliveryOutcome =
  | { readonly kind: 'sent'; readonly httpStatus: number; readonly messageName: string; readonly threadName: string | null }
  /** 429, or any answer that asks to wait. */
  | { readonly kind: 'busy'; readonly httpStatus: number; readonly reason: string; readonly retryAfterMs: number | null }
  /** 401, 403, 404: the destination refuses. */
  | { readonly kind: 'refused'; readonly httpStatus: number; readonly reason: string }
  /** 400, or its like in Google's own words: our body is wrong; sending it again cannot help. */
  | { readonly kind: 'rejected'; readonly httpStatus: number; readonly reason: string }
  /** A 2xx of Google Chat that names no message: it was probably posted. */
  | { readonly kind: 'unnamed'; readonly httpStatus: number; readonly reason: string }
  /** 5xx, timeout, reset, redirect, a 2xx with an error, a 2xx or 4xx of somebody else: nobody knows whether it was posted. An answer may ask to wait. */
  | {
      readonly kind: 'unreachable';
      readonly httpStatus: number | null;
      readonly reason: string;
      readonly retryAfterMs?: number | null;
    };
