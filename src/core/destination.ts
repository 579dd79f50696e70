/** A destination is a Chat webhook: the words of its settings (threads, folding, quiet hours) and its health. */

import { z } from 'zod';

export const THREAD_POLICIES = ['off', 'perRecord'] as const;
export type ThreadPolicy = (typeof THREAD_POLICIES)[number];
export const FOLD_POLICIES = ['auto', 'off'] as const;
export type FoldPolicy = (typeof FOLD_POLICIES)[number];
export const HEALTH_STATES = ['healthy', 'throttled', 'doubtful', 'broken', 'paused'] as const;
export type HealthState = (typeof HEALTH_STATES)[number];

export const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] as const;
export type Day = (typeof DAYS)[number];
export const dayField = z.enum(DAYS);

/** A time of day on a wall clock, to the minute. */
export const clockTime = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'must be a time of day such as 20:00');

const days = z.array(dayField).min(1, 'must name at least one day').max(7);

/**
 * Quiet hours in the destination's time zone; `from` later than `to` runs over midnight, both the same is the whole day round. `days`:
 * those on which they begin (none named: every day). Days that are no `businessDays` are quiet from midnight to midnight, and the
 * quiet hours before the next business day end as on any other.
 */
export const quietHoursSchema = z.strictObject({
  from: clockTime,
  to: clockTime,
  days: days.optional(),
  businessDays: days.optional(),
  mode: z.enum(['hold', 'drop']),
});
export type QuietHours = z.infer<typeof quietHoursSchema>;
