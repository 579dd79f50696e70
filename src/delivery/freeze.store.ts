/** Freezes bodies in the ledger, which begins their attempts. */

import type { Pool } from 'pg';
import { makeWithJoined } from '../platform/joined-bytes';
import type { DeliveryStore, FrozenBody } from './delivery-ledger';

/**
 * Bodies are frozen before the first POST, so that every retry is byte-identical; with that the attempt has begun, and nobody knows what
 * comes of it until that is recorded: whose process is killed meanwhile may have been posted. All bodies travel as
 * one binary parameter and are cut apart by the database: a text array of them would be escaped twice. A message that was retold or
 * dropped since it was claimed, or is just being so, is left out: its body tells what is no longer true.
 */
const FREEZE = `
  WITH r AS MATERIALIZED (
    SELECT * FROM unnest($1::bigint[], $2::text[], $3::int[], $4::int[]) AS r(id, version, start, length)
  ), mine AS MATERIALIZED (
    SELECT d.id, r.start, r.length FROM r JOIN deliveries d ON d.id = r.id
     WHERE d.xmin::text = r.version AND coalesce(d.state, '') IN ('queued', 'sending') FOR UPDATE OF d SKIP LOCKED
  )
  UPDATE deliveries d SET state = 'sending', attempts = d.attempts + 1, uncertain = d.uncertain + 1,
         rendered_body = CASE WHEN mine.length IS NULL THEN d.rendered_body
                              ELSE convert_from(substring($5::bytea FROM mine.start FOR mine.length), 'UTF8') END
    FROM mine WHERE d.id = mine.id
  RETURNING d.id::float8 AS id`;

/** Makes `freeze`. */
export function makeFreeze(keyed: Pool): DeliveryStore['freeze'] {
  const withJoined = makeWithJoined();
  return async (bodies) => {
    const fresh = bodies.map(({ delivery, body }) => (delivery.renderedBody === body ? null : Buffer.from(body)));
    const values = freezeParameters(bodies, fresh);
    const { rows } = await withJoined(
      fresh.filter((bytes) => bytes !== null),
      (joined) => keyed.query<{ id: number }>({ name: 'freeze', text: FREEZE, values: [...values, joined] }),
    );
    const frozen = new Set(rows.map(({ id }) => id));
    return bodies.map(({ delivery }) => frozen.has(delivery.id));
  };
}

function freezeParameters(bodies: readonly FrozenBody[], fresh: readonly (Buffer | null)[]): unknown[] {
  let end = 1;
  return [
    bodies.map(({ delivery }) => delivery.id),
    bodies.map(({ delivery }) => delivery.version),
    fresh.map((bytes) => (end += bytes?.length ?? 0) - (bytes?.length ?? 0)),
    fresh.map((bytes) => bytes?.length ?? null),
  ];
}
