/** What keeps a claimed message from being posted now. Pure. */

import type { HoldCause } from '../core/delivery';
import type { ClaimedDelivery } from './delivery-ledger';
import { judgeRefusal, PAUSED_REASON, type HealthSettings } from './space-health';

/** Why nothing is posted for a delivery now. */
export type Obstacle =
  | { readonly state: 'held'; readonly reason: string; readonly heldBecause: HoldCause }
  | { readonly state: 'dropped'; readonly reason: string }
  /** All messages of the destination wait so long; null: this one is looked at again at once. */
  | { readonly state: 'queued'; readonly reason: string | null; readonly delayAllMs: number | null };

/** Why nothing may be posted for this delivery now; null when it may. */
export function obstacleOf(
  delivery: ClaimedDelivery,
  { refusalConfirmMs }: Pick<HealthSettings, 'refusalConfirmMs'>,
): Obstacle | null {
  const { destination } = delivery;
  if (delivery.isUninstalled) return { state: 'dropped', reason: 'Dealbell was uninstalled before it could be told.' };
  // A fallback that was removed: back to its own destination.
  if (destination === null && delivery.viaWebhookId !== null) return { state: 'queued', reason: null, delayAllMs: null };
  if (destination === null) return { state: 'dropped', reason: 'The destination was removed.' };
  if (destination.isPaused) return { state: 'held', reason: PAUSED_REASON, heldBecause: 'paused' };
  if (delivery.isProbe) return null;
  const { health, healthReason, refusals, sinceLastRefusalMs } = destination;
  if (health === 'broken') return { state: 'held', reason: healthReason ?? 'The destination is broken.', heldBecause: 'broken' };
  const { counts, restMs } = judgeRefusal({ state: health, refusals, sinceLastRefusalMs }, refusalConfirmMs);
  // Another refusal would prove nothing yet.
  return counts ? null : { state: 'queued', reason: healthReason, delayAllMs: restMs };
}
