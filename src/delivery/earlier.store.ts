/** Conditions by which a message, `d`, waits for the earlier ones about its record in its space. */

/** One of those goes by its own message. `coalesce` keeps the planner to the index by record. */
const GOES_BEFORE = `
  EXISTS (SELECT FROM deliveries e
           WHERE e.tenant_id = d.tenant_id AND e.entity = d.entity AND e.entity_id = d.entity_id AND e.id < d.id
             AND e.state IN ('queued', 'sending', 'held') AND coalesce(e.state, '') <> 'held' AND coalesce(e.space_id, '') = d.space_id)`;

/** One of those is told by a message of several that has not left: where that goes counts, whatever way it was to go itself. */
export const IS_TOLD_BEFORE = `
  EXISTS (SELECT FROM deliveries f JOIN deliveries lead ON lead.id = f.folded_into
           WHERE f.tenant_id = d.tenant_id AND f.entity = d.entity AND f.entity_id = d.entity_id AND f.id < d.id
             AND f.state = 'folded' AND coalesce(lead.space_id, '') = d.space_id AND coalesce(lead.state, '') IN ('queued', 'sending'))`;

/** Either of them. */
export const IS_LATER = `(${GOES_BEFORE} OR ${IS_TOLD_BEFORE})`;
