/** The body of an event that no webhook brought, written as Pipedrive would write it, so that it takes the same way as all others. Pure. */

import type { FoundEvent } from './find-missed';

/** How the `meta.id` of such an event begins; Pipedrive's own are UUIDs. */
export const RECONCILED_ID = 'dealbell.';

/** The same judgement on the same ground always makes the same event: who finds it again finds its row. */
export function reconciledBody(found: FoundEvent, readAt: Date): Buffer {
  const { entity, entityId, action, occurredAt, state, previous, missed, knownAt } = found;
  const ground = String(knownAt?.getTime() ?? 0);
  const id = `${RECONCILED_ID}${missed === null ? 'difference' : `missed.${missed.join('-')}`}.${ground}`;
  const rests = { read_at: readAt.toISOString(), missed, known_at: knownAt?.toISOString() ?? null };
  const meta = {
    ...{ action, entity, entity_id: entityId, id, timestamp: occurredAt.toISOString(), version: '2.0' },
    ...{ user_id: null, correlation_id: null, change_source: null, is_bulk_edit: false, type: 'reconciliation' },
    dealbell_reconciled: rests,
  };
  return Buffer.from(
    JSON.stringify({ data: action === 'delete' ? null : state, previous: action === 'delete' ? state : previous, meta }),
  );
}
