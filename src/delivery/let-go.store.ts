/** What held messages, `d`, become when they may go again, which of them are urgent, and which their rule gathers. */

export const LET_GO = `state = 'queued', state_reason = NULL, held_because = NULL, held_for = NULL, held_until = NULL, not_before = now()`;

/** It goes through quiet hours, and before what waits. */
export const IS_URGENT = `(d.replay > 0 OR EXISTS (SELECT 1 FROM rules r WHERE r.id = d.rule_id AND r.tenant_id = d.tenant_id AND r.urgent))`;

/** For its rule's digest. */
export const isGathered = (d: string): string => `
  EXISTS (SELECT 1 FROM rules r WHERE r.id = ${d}.rule_id AND r.tenant_id = ${d}.tenant_id AND r.enabled AND NOT r.urgent AND r.digest IS NOT NULL)`;
export const IS_GATHERED = isGathered('d');
