/** A destination is a Chat webhook: the words of its settings (threads, folding, quiet hours) and its health. */

import { z } from 'zod';

export const THREAD_POLICIES = ['off', 'perRecord'] as const;
export type ThreadPolicy = (typeof THREAD_POLICIES)[number];
export const FOLD_POLICIES = ['auto', 'off'] as const;
export const HEALTH_STATES = ['healthy', 'throttled', 'doubtful', 'broken', 'paused'] as const;
export type HealthState = (typeof HEALTH_STATES)[number];

const clockTime = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'a time of day such as 20:00');

/** Quiet hours in the destination's time zone; `from` later than `to` runs over midnight. */
export const quietHoursSchema = z.strictObject({
  from: clockTime,
  to: clockTime,
  days: z
    .array(z.enum(['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun']))
    .min(1)
    .max(7)
    .optional(),
  mode: z.enum(['hold', 'drop']),
});
export type QuietHours = z.infer<typeof quietHoursSchema>;
