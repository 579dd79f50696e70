/** The statements by which messages of several go on without some of them. */

interface Leaving {
  /** The messages of several, of which each row is locked. */
  readonly leads: string;
  /** Whether one of those that they tell, `m`, is left out. */
  readonly isOut: string;
  /** What is written of `d`: `p` says what it is from now on, `lead` what told it. */
  readonly stateReason: string;
  readonly notBefore: string;
  readonly attempts: string;
}

/**
 * Each that is left out tells itself alone; the rest is told as before, by another of them when the message is itself one that is left out, and
 * as a new message, for it is another one. Of a digest each stays one by itself, for it would be gathered for the next one. A message that
 * tells none of those is left as it is.
 */
const goOnWithout = ({ leads, isOut, stateReason, notBefore, attempts }: Leaving): string => `
  WITH leads AS MATERIALIZED (${leads}), told AS MATERIALIZED (
    SELECT m.id, m.lead_id, ${isOut} AS is_out
      FROM (SELECT id, id AS lead_id, rule_id, entity, entity_id FROM leads
            UNION ALL SELECT d.id, leads.id, d.rule_id, d.entity, d.entity_id FROM leads CROSS JOIN LATERAL (
              SELECT id, rule_id, entity, entity_id FROM deliveries WHERE folded_into = leads.id AND coalesce(state, '') = 'folded' OFFSET 0) d) m
  ), rest AS MATERIALIZED (
    SELECT lead_id AS told_by, coalesce(max(id) FILTER (WHERE NOT is_out AND id = lead_id), min(id) FILTER (WHERE NOT is_out)) AS lead_id,
           count(*) FILTER (WHERE NOT is_out) > 1 AS is_several
      FROM told GROUP BY told.lead_id HAVING bool_or(is_out)
  ), parts AS MATERIALIZED (
    SELECT told.id, rest.told_by, rest.lead_id, told.is_out, NOT told.is_out AND told.id <> rest.lead_id AS is_member,
           NOT told.is_out AND told.id = rest.lead_id AS leads, NOT told.is_out AND rest.is_several AS tells_others
      FROM told JOIN rest ON rest.told_by = told.lead_id
  )
  UPDATE deliveries d SET state = CASE WHEN p.is_member THEN 'folded' ELSE lead.state END,
         folded_into = CASE WHEN p.is_member THEN p.lead_id END,
         finished_at = CASE WHEN p.is_member THEN d.finished_at END,
         state_reason = ${stateReason},
         held_because = CASE WHEN p.is_member THEN d.held_because ELSE lead.held_because END,
         held_for = CASE WHEN p.is_member THEN d.held_for ELSE lead.held_for END,
         held_until = CASE WHEN p.is_member THEN d.held_until ELSE lead.held_until END,
         fold_kind = CASE WHEN NOT p.is_member AND (p.tells_others OR lead.fold_kind IN ('daily', 'weekly')) THEN lead.fold_kind END,
         not_before = ${notBefore},
         waiting_since = CASE WHEN p.is_member THEN d.waiting_since ELSE lead.waiting_since END,
         released_at = CASE WHEN p.is_member THEN d.released_at ELSE coalesce(lead.released_at, d.released_at) END,
         attempts = ${attempts},
         rendered_body = NULL, request_id = CASE WHEN p.leads THEN gen_random_uuid() ELSE d.request_id END,
         is_plain = p.leads AND lead.is_plain, is_unthreaded = p.leads AND lead.is_unthreaded,
         via_webhook_id = lead.via_webhook_id, space_id = lead.space_id
    FROM parts p JOIN leads lead ON lead.id = p.told_by
   WHERE d.id = ANY (ARRAY(SELECT id FROM parts)) AND d.id = p.id AND NOT (p.is_member AND d.folded_into IS NOT DISTINCT FROM p.lead_id)
  RETURNING d.id::float8 AS id, p.is_out`;

/**
 * The claimed, never prepared message of several ($1) tells these ($2) no more: they cannot be told by this version. Each counts as tried, and a
 * later one about the same record is left out too, which waits for it then. When the space was lost (its lease is not $3) or somebody
 * changed the message since it was claimed (its version is not $4), all is left to whoever has it next.
 */
export const LEAVE_OUT = goOnWithout({
  leads: `
    SELECT d.* FROM deliveries d
     WHERE d.id = $1 AND d.state = 'queued' AND d.fold_kind IS NOT NULL AND d.rendered_body IS NULL AND d.xmin::text = $4
       AND EXISTS (SELECT FROM google_spaces g WHERE g.space_id = d.space_id AND g.lease_until = $3::timestamptz)
       FOR UPDATE OF d`,
  isOut: `
    EXISTS (SELECT FROM deliveries b WHERE b.id = ANY ($2::bigint[]) AND b.id <= m.id AND b.entity = m.entity AND b.entity_id = m.entity_id)`,
  stateReason: `
    CASE WHEN d.id = ANY ($2::bigint[]) THEN 'This version of Dealbell cannot tell it together with others; it is tried by itself.' END`,
  notBefore: `
    CASE WHEN d.id = ANY ($2::bigint[]) THEN now() + interval '1 minute' WHEN p.leads THEN lead.not_before ELSE d.not_before END`,
  attempts: `
    CASE WHEN d.id = ANY ($2::bigint[]) THEN d.attempts + 1 WHEN p.leads THEN lead.attempts ELSE d.attempts END`,
});

/** These messages of several ($1), of which nothing was posted and whose rows are locked, tell no more what is so; each of that is as they are. */
export const takeOut = (isOut: string): string =>
  goOnWithout({
    leads: `SELECT d.* FROM deliveries d WHERE d.id = ANY ($1::bigint[])`,
    isOut,
    stateReason: `CASE WHEN p.is_member THEN d.state_reason ELSE lead.state_reason END`,
    notBefore: `CASE WHEN p.leads THEN lead.not_before ELSE d.not_before END`,
    attempts: `CASE WHEN p.leads THEN lead.attempts ELSE d.attempts END`,
  });
