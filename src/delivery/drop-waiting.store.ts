/** Drops what waits for a rule, watch, destination or record that goes, also what another message was to tell of it. */

import { z } from 'zod';
import type { Prisma } from '../../prisma/generated/client';
import type { TenantId } from '../core/tenant';
import { isUnfinished } from '../core/unfinished.store';
import { takeOut } from './leave-out.store';

/** Whose messages; those of a watch bear its number below 0 in the place of a rule's. */
export type Going =
  { readonly ruleId: number } | { readonly chatWebhookId: number } | { readonly entity: string; readonly entityId: string };

/** Not what is being posted. Of what tells others too some can be left out only while nothing of it may have been posted. */
const isWaiting = (d: string): string =>
  `(coalesce(${d}.state, '') IN ('queued', 'held') AND (${d}.fold_kind IS NULL OR ${d}.uncertain = 0))`;

interface Statements {
  /** Finds a tenant's ($1) messages that tell something that goes, and locks those that wait still, in the order of their ids. */
  readonly lock: string;
  readonly takeOut: string;
}

/** A message that was waited for may have been taken apart meanwhile: what it tells by itself alone then need not go. */
const statementsFor = (isGoing: (d: string) => string, found: string): Statements => ({
  lock: `
    WITH found AS MATERIALIZED (${found}), locked AS MATERIALIZED (
      SELECT d.id, d.fold_kind IS NOT NULL AS is_fold, ${isGoing('d')} AS is_going FROM deliveries d
       WHERE d.id = ANY (ARRAY(SELECT id FROM found)) AND ${isWaiting('d')} ORDER BY d.id FOR UPDATE OF d
    )
    SELECT found.id::float8 AS id, coalesce(is_fold, false) AS is_fold, coalesce(is_going AND NOT is_fold, false) AS goes_alone
      FROM found LEFT JOIN locked ON locked.id = found.id`,
  takeOut: takeOut(isGoing('m')),
});

/** By a rule's messages of all times too much would be read: by what is unfinished, and by the messages of several among that. */
const OF_RULE = statementsFor(
  (d) => `${d}.rule_id = $2::int`,
  `
    SELECT d.id FROM deliveries d WHERE d.tenant_id + 0 = $1::int AND ${isUnfinished('d')} AND d.rule_id = $2::int AND ${isWaiting('d')}
    UNION
    SELECT d.id FROM deliveries d
     CROSS JOIN LATERAL (SELECT FROM deliveries m WHERE m.folded_into = d.id AND coalesce(m.state, '') = 'folded' AND m.rule_id + 0 = $2::int LIMIT 1) told
     WHERE d.fold_kind IS NOT NULL AND d.finished_at IS NULL AND d.tenant_id + 0 = $1::int AND ${isWaiting('d')}`,
);

/** By the indexes of what is unfinished and of what was folded, which are of expressions. */
const OF_RECORD = statementsFor(
  (d) => `${d}.entity = $2 AND ${d}.entity_id = $3`,
  `
    SELECT d.id FROM deliveries d
     WHERE d.tenant_id + 0 = $1::int AND d.entity = $2 AND d.entity_id = $3 AND ${isUnfinished('d')} AND ${isWaiting('d')}
    UNION
    SELECT d.id FROM deliveries m JOIN deliveries d ON d.id = coalesce(m.folded_into, 0) AND ${isWaiting('d')}
     WHERE m.tenant_id + 0 = $1::int AND m.entity = $2 AND m.entity_id = $3 AND (m.state || '') = 'folded'`,
);

const DROP = `
  UPDATE deliveries SET state = 'dropped', state_reason = $2, finished_at = now(), fold_kind = NULL WHERE id = ANY ($1::bigint[])`;

const foundRows = z.array(z.object({ id: z.number(), is_fold: z.boolean(), goes_alone: z.boolean() }));
const partRows = z.array(z.object({ id: z.number(), is_out: z.boolean() }));

/**
 * Drops them with the reason, for a transaction; gives how many. One that is being sent, alone or among others, is left to its sender. What was
 * to be told together with others is taken out of that message, which tells the rest; with its destination goes a message as a whole.
 */
export async function dropWaiting(
  client: Prisma.TransactionClient,
  tenantId: TenantId,
  of: Going,
  reason: string,
): Promise<number> {
  if ('chatWebhookId' in of) return await dropAllOf(client, tenantId, of, reason);
  const [statements, going] = 'ruleId' in of ? [OF_RULE, [of.ruleId]] : [OF_RECORD, [of.entity, of.entityId]];
  let dropped = 0;
  // Whoever is waited for may have folded what was found, or taken it apart: until nothing is found any more.
  for (;;) {
    const found = foundRows.parse(await client.$queryRawUnsafe(statements.lock, tenantId, ...going));
    if (found.length === 0) return dropped;
    const folds = found.filter(({ is_fold }) => is_fold).map(({ id }) => id);
    const parts = folds.length === 0 ? [] : partRows.parse(await client.$queryRawUnsafe(statements.takeOut, folds, ...going));
    const alone = found.filter(({ goes_alone }) => goes_alone);
    const ids = [...alone, ...parts.filter(({ is_out }) => is_out)].map(({ id }) => id);
    if (ids.length > 0) dropped += await client.$executeRawUnsafe(DROP, ids, reason);
  }
}

async function dropAllOf(
  client: Prisma.TransactionClient,
  tenantId: TenantId,
  of: { readonly chatWebhookId: number },
  reason: string,
): Promise<number> {
  const { count } = await client.delivery.updateMany({
    where: { tenantId, ...of, state: { in: ['queued', 'held'] } },
    data: { state: 'dropped', stateReason: reason, finishedAt: new Date() },
  });
  return count;
}
