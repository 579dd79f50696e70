/** The statement by which a message of several that cannot be told as one becomes two. */

/**
 * The claimed, never prepared message of several ($1) tells the first half of what it told, and the first of the others tells the rest, a moment
 * after it; both wait so long ($3, in ms). One that is left by itself goes as any other message does, but for a digest, which would be gathered
 * for the next one. The space ($5) is free again. When it was lost (its lease is not $2) or somebody changed the message since it was claimed (its
 * version is not $4), all is left to whoever has it next.
 */
export const HALVE = `
  WITH lead AS MATERIALIZED (
    SELECT d.* FROM deliveries d
     WHERE d.id = $1 AND d.state = 'queued' AND d.fold_kind IS NOT NULL AND d.rendered_body IS NULL AND d.xmin::text = $4
       AND EXISTS (SELECT FROM google_spaces g WHERE g.space_id = d.space_id AND g.lease_until = $2::timestamptz)
       FOR UPDATE OF d
  ), told AS MATERIALIZED (
    SELECT m.id, row_number() OVER (ORDER BY m.id <> $1, m.id) > (count(*) OVER () + 1) / 2 AS is_second
      FROM (SELECT id FROM lead
            UNION ALL SELECT d.id FROM lead JOIN deliveries d ON d.folded_into = lead.id AND coalesce(d.state, '') = 'folded') m
  ), parts AS MATERIALIZED (
    SELECT id, is_second, CASE WHEN is_second THEN min(id) OVER (PARTITION BY is_second) ELSE $1 END AS lead_id,
           count(*) OVER (PARTITION BY is_second) > 1 AS tells_others
      FROM told
  ), freed AS (
    UPDATE google_spaces SET lease_until = NULL WHERE space_id = $5 AND lease_until = $2::timestamptz
  )
  UPDATE deliveries d SET state = CASE WHEN p.id = p.lead_id THEN 'queued' ELSE 'folded' END,
         folded_into = CASE WHEN p.id <> p.lead_id THEN p.lead_id END,
         finished_at = CASE WHEN p.id <> p.lead_id THEN d.finished_at END,
         fold_kind = CASE WHEN p.id = p.lead_id AND (p.tells_others OR lead.fold_kind IN ('daily', 'weekly')) THEN lead.fold_kind END,
         not_before = CASE WHEN p.id = p.lead_id THEN now() + ($3 + CASE WHEN p.is_second THEN 1 ELSE 0 END) * interval '1 millisecond' ELSE d.not_before END,
         waiting_since = CASE WHEN p.id = p.lead_id THEN lead.waiting_since ELSE d.waiting_since END,
         released_at = CASE WHEN p.id = p.lead_id THEN coalesce(lead.released_at, d.released_at) ELSE d.released_at END,
         attempts = CASE WHEN p.id = p.lead_id THEN lead.attempts + 1 ELSE d.attempts END,
         is_plain = p.id = p.lead_id AND lead.is_plain, is_unthreaded = p.id = p.lead_id AND lead.is_unthreaded,
         via_webhook_id = lead.via_webhook_id, space_id = lead.space_id
    FROM parts p CROSS JOIN lead
   WHERE d.id = p.id AND (p.is_second OR p.id = $1)`;
