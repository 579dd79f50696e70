/** A rule says which transitions are told, with which filters, to which destinations, in which layout. */

import { z } from 'zod';
import { conditionTreeSchema } from './condition';
import { clockTime, dayField } from './destination';
import { EVENT_TYPES, TRANSITION_KINDS, type EventType } from './transition';

export const TEMPLATE_MODES = ['compact', 'detailed'] as const;
export type TemplateMode = (typeof TEMPLATE_MODES)[number];

const id = z.number().int().positive();
const idList = z.array(id).max(500);

/** `filters` of a rule as the API takes them. */
export const ruleFiltersSchema = z.strictObject({
  pipelineIds: idList.optional(),
  stageIds: idList.optional(),
  fromStageIds: idList.optional(),
  ownerIds: idList.optional(),
  minValue: z.number().nonnegative().optional(),
  currency: z
    .string()
    .regex(/^[A-Z]{3}$/, 'a currency is a three-letter code such as EUR')
    .optional(),
  /** With `deal.value_changed` and `minValue`: only when the value comes from below, not on each edit above. */
  crossing: z.boolean().optional(),
  /** Finer kinds of the transition, such as `forward`; those that the event type knows. */
  kinds: z
    .array(z.enum(Object.values(TRANSITION_KINDS).flat()))
    .max(10)
    .optional(),
  fields: z.array(z.string().min(1).max(100)).max(50).optional(),
  conditions: conditionTreeSchema.optional(),
});
export type RuleFilters = z.infer<typeof ruleFiltersSchema>;

const nameOrId = z.union([id, z.string().trim().min(1).max(200)], { error: 'must be an id or a name' });
const namedList = z.array(nameOrId).max(500, 'has at most 500 entries').optional();

/** `filters` as people write them: names may stand for ids, and are made into ids before anything is stored. */
export const givenFiltersSchema = ruleFiltersSchema.extend({
  pipelineIds: namedList,
  stageIds: namedList,
  fromStageIds: namedList,
  ownerIds: namedList,
});
export type GivenFilters = z.infer<typeof givenFiltersSchema>;

/** "Digest only": the rule's messages are gathered and told as one at this time of day, in the destination's zone. */
export const digestSchema = z
  .strictObject({ every: z.enum(['day', 'week']), at: clockTime, day: dayField.optional() })
  .refine(({ every, day }) => every === 'week' || day === undefined, {
    path: ['day'],
    message: 'belongs to a weekly digest alone',
  });
export type Digest = z.infer<typeof digestSchema>;

export const eventTypeSchema = z.enum(EVENT_TYPES);

/** A rule as it is decided by and rendered from. */
export interface Rule {
  readonly id: number;
  readonly name: string;
  readonly eventType: EventType;
  readonly filters: RuleFilters;
  readonly targetWebhookIds: readonly number[];
  readonly templateMode: TemplateMode;
  readonly template: string | null;
  /** Milliseconds a transition waits for later edits; null: the installation's `SETTLE_MS`. */
  readonly settleMs: number | null;
  readonly position: number;
  readonly stopAfter: boolean;
  /** Goes through quiet hours. */
  readonly urgent: boolean;
  /** Null: each message by itself, at once. */
  readonly digest: Digest | null;
  readonly enabled: boolean;
  /** Events received before this moment are the past: switching a rule on never announces them. */
  readonly enabledAt: Date;
  /** Of the watch of one record: it tells each of these, and `eventType` is only what it waits like. Absent for a rule. */
  readonly hears?: ReadonlySet<EventType>;
}
