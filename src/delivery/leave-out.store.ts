/** The statement by which a message of several goes on without some of them. */

/**
 * The claimed, never prepared message of several ($1) tells these ($2) no more: they cannot be told by this version. Each tells itself
 * alone, which counts as tried, and so does a later one about the same record, which waits for it then. The rest is told as before, by another of them when the
 * message is itself one that is left out. Of a digest each stays one by itself, for it would be gathered for the next one. When the space
 * was lost (its lease is not $3), all is left to whoever has it.
 */
export const LEAVE_OUT = `
  WITH lead AS MATERIALIZED (
    SELECT d.* FROM deliveries d
     WHERE d.id = $1 AND d.state = 'queued' AND d.fold_kind IS NOT NULL AND d.rendered_body IS NULL
       AND EXISTS (SELECT FROM google_spaces g WHERE g.space_id = d.space_id AND g.lease_until = $3::timestamptz)
       FOR UPDATE OF d
  ), told AS MATERIALIZED (
    SELECT m.id, m.id = ANY ($2::bigint[]) AS is_bad,
           EXISTS (SELECT FROM deliveries b WHERE b.id = ANY ($2::bigint[]) AND b.id <= m.id AND b.entity = m.entity AND b.entity_id = m.entity_id) AS is_out
      FROM (SELECT id, entity, entity_id FROM lead
            UNION ALL SELECT d.id, d.entity, d.entity_id FROM lead JOIN deliveries d ON d.folded_into = lead.id AND coalesce(d.state, '') = 'folded') m
  ), rest AS MATERIALIZED (
    SELECT coalesce(max(id) FILTER (WHERE id = $1), min(id)) AS lead_id, count(*) AS count FROM told WHERE NOT is_out
  ), parts AS MATERIALIZED (
    SELECT told.id, told.is_bad, NOT told.is_out AND told.id <> rest.lead_id AS is_member, NOT told.is_out AND told.id = rest.lead_id AS leads,
           rest.lead_id, NOT told.is_out AND rest.count > 1 AS tells_others
      FROM told CROSS JOIN rest
  )
  UPDATE deliveries d SET state = CASE WHEN p.is_member THEN 'folded' ELSE 'queued' END,
         folded_into = CASE WHEN p.is_member THEN p.lead_id END,
         finished_at = CASE WHEN p.is_member THEN d.finished_at END,
         state_reason = CASE WHEN p.is_bad THEN 'This version of Dealbell cannot tell it together with others; it is tried by itself.' END,
         fold_kind = CASE WHEN NOT p.is_member AND (p.tells_others OR lead.fold_kind IN ('daily', 'weekly')) THEN lead.fold_kind END,
         not_before = CASE WHEN p.is_bad THEN now() + interval '1 minute' WHEN p.leads THEN lead.not_before ELSE d.not_before END,
         waiting_since = CASE WHEN p.is_member THEN d.waiting_since ELSE lead.waiting_since END,
         released_at = CASE WHEN p.is_member THEN d.released_at ELSE coalesce(lead.released_at, d.released_at) END,
         attempts = CASE WHEN p.is_bad THEN d.attempts + 1 WHEN p.leads THEN lead.attempts ELSE d.attempts END,
         is_plain = p.leads AND lead.is_plain, is_unthreaded = p.leads AND lead.is_unthreaded,
         via_webhook_id = lead.via_webhook_id, space_id = lead.space_id
    FROM parts p CROSS JOIN lead
   WHERE d.id = p.id AND NOT (p.is_member AND d.folded_into IS NOT DISTINCT FROM p.lead_id)`;
