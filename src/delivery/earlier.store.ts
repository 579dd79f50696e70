/** Conditions by which a message, `d`, waits for the earlier ones about its record in its space. */

import { isUnfinished } from '../core/unfinished.store';
import { isGathered } from './let-go.store';

/**
 * Whether `e` is an earlier message about the record of `d`. Tenant, id and state are said as the indexes by record say them, which are of
 * expressions, so that the planner has nothing else for it: on a young table, or by old statistics, it takes other indexes for as good, and
 * reads all messages of a tenant.
 */
export const isEarlier = (e: string, d: string): string =>
  `${e}.tenant_id + 0 = ${d}.tenant_id AND ${e}.entity = ${d}.entity AND ${e}.entity_id = ${d}.entity_id AND ${e}.id + 0 < ${d}.id`;

/** One of those goes by its own message. */
const GOES_BEFORE = `
  EXISTS (SELECT FROM deliveries e
           WHERE ${isEarlier('e', 'd')}
             AND ${isUnfinished('e')} AND e.state <> 'held' AND coalesce(e.space_id, '') = d.space_id)`;

/**
 * One of those is told by a message of several that has not left: where that goes counts, whatever way it was to go itself. By
 * the bare number of that message the planner would go through all that was ever folded.
 */
export const IS_TOLD_BEFORE = `
  EXISTS (SELECT FROM deliveries f JOIN deliveries lead ON lead.id = coalesce(f.folded_into, 0)
           WHERE ${isEarlier('f', 'd')}
             AND (f.state || '') = 'folded' AND coalesce(lead.space_id, '') = d.space_id AND coalesce(lead.state, '') IN ('queued', 'sending'))`;

/** Whether `e`, which is held, waits for the end of quiet hours, or for nothing any more until it is let go, in the destination to which `d` goes. */
export const isHeldForTime = (e: string, d: string): string => `
  ((${e}.held_for = 'quiet' OR ${e}.held_until = 'epoch' OR (${e}.held_until <= now() AND NOT ${isGathered(e)}))
   AND coalesce(${e}.via_webhook_id, ${e}.chat_webhook_id) = coalesce(${d}.via_webhook_id, ${d}.chat_webhook_id))`;

/** One of those is held so. */
export const isHeldBefore = (d: string): string => `
  EXISTS (SELECT FROM deliveries e
           WHERE ${isEarlier('e', d)}
             AND ${isUnfinished('e')} AND e.state = 'held' AND coalesce(e.space_id, '') = ${d}.space_id AND ${isHeldForTime('e', d)})`;

/** Either of them. */
export const IS_LATER = `(${GOES_BEFORE} OR ${IS_TOLD_BEFORE})`;
