/** When what a message tells came to Dealbell, as statements ask it. */

/**
 * When the event of `d` was accepted, however much later it was routed. What the reconciliation found came when it happened: its webhook is
 * what was missed. Never after the message itself, whatever the clock did between the two.
 */
export const cameAt = (d: string): string => `
  least(${d}.created_at, CASE WHEN ${d}.transition #> '{cause,isLate}' = 'true' THEN ${d}.occurred_at END,
        (SELECT event.received_at FROM events event WHERE event.id = ${d}.event_id))`;
