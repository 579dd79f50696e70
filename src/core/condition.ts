/** The grammar of a rule's conditions: a tree of `all`, `any` and `not` over `{field, op, value}`. Parsed here once, then trusted. */

import { z } from 'zod';

export const OPERATORS = [
  'is',
  'isNot',
  'in',
  'notIn',
  'contains',
  'notContains',
  'matches',
  'isEmpty',
  'isNotEmpty',
  'gt',
  'gte',
  'lt',
  'lte',
  'between',
  'includes',
  'includesAny',
  'includesAll',
  'includesNone',
  'changed',
  'changedTo',
  'changedFrom',
  'increasedBy',
  'decreasedBy',
  'before',
  'after',
  'withinDays',
] as const;
export type Operator = (typeof OPERATORS)[number];

const MAX_DEPTH = 8;
const MAX_NODES = 100;
const MAX_TEXT = 500;

const text = z.string().max(MAX_TEXT);
/** An option of Pipedrive, kept by id and by the name it had when it was chosen; only the id counts. */
const named = z.strictObject({ id: z.union([z.number(), text]), name: text.optional() });
const money = z.strictObject({
  amount: z.number(),
  currency: z.string().regex(/^[A-Z]{3}$/, 'a currency is a three-letter code such as EUR'),
});
const scalar = z.union([text, z.number(), z.boolean(), named, money]);
const oneOrMany = z.union([scalar, z.array(scalar).min(1).max(200)]);
const many = z.array(scalar).min(1).max(200);
/** Today, a day relative to today in the tenant's time zone, or a date (and time). */
const moment = z.union([
  z.literal('today'),
  z.strictObject({ days: z.number().int().min(-3650).max(3650) }),
  text.refine((value) => /^\d{4}-\d{2}-\d{2}/.test(value) && !Number.isNaN(Date.parse(value)), 'is a date such as 2026-11-23'),
]);
const measure = z.union([z.number(), money, moment]);
const step = z.union([
  z.number().positive(),
  money,
  z.strictObject({ percent: z.number().positive() }),
  z.strictObject({ days: z.number().int().positive() }),
]);

const field = z
  .string()
  .min(1)
  .max(100)
  .regex(/^[\w.]+$/, "is the name of a Pipedrive field, or a custom field's key");
const nothing = z.null().optional();

/** What each operator compares with. */
const leafSchema = z.discriminatedUnion('op', [
  z.strictObject({ field, op: z.enum(['is', 'isNot', 'includes']), value: scalar.nullable() }),
  z.strictObject({ field, op: z.enum(['in', 'notIn', 'includesAny', 'includesAll', 'includesNone']), value: many }),
  z.strictObject({ field, op: z.enum(['contains', 'notContains']), value: text.min(1) }),
  z.strictObject({ field, op: z.literal('matches'), value: text.min(1) }),
  z.strictObject({ field, op: z.enum(['isEmpty', 'isNotEmpty']), value: nothing }),
  z.strictObject({ field, op: z.literal('changed'), value: nothing }),
  z.strictObject({ field, op: z.enum(['gt', 'gte', 'lt', 'lte']), value: measure }),
  z.strictObject({ field, op: z.literal('between'), value: z.tuple([measure, measure]) }),
  z.strictObject({ field, op: z.enum(['changedTo', 'changedFrom']), value: oneOrMany.nullable() }),
  z.strictObject({ field, op: z.enum(['increasedBy', 'decreasedBy']), value: step }),
  z.strictObject({ field, op: z.enum(['before', 'after']), value: moment }),
  z.strictObject({ field, op: z.literal('withinDays'), value: z.number().int().min(-3650).max(3650) }),
]);
export type Condition = z.infer<typeof leafSchema>;

export type ConditionTree =
  | Condition
  | { readonly all: readonly ConditionTree[] }
  | { readonly any: readonly ConditionTree[] }
  | { readonly not: ConditionTree | readonly ConditionTree[] };

const GROUPS = ['all', 'any', 'not'] as const;

/** A group or a single condition, told apart by its keys, so that a mistake is named where it is. */
const nodeSchema: z.ZodType<ConditionTree> = z.unknown().transform((node, context): ConditionTree => {
  // An empty tree asks for nothing.
  if (typeof node === 'object' && node !== null && Object.keys(node).length === 0 && !Array.isArray(node)) return { all: [] };
  const group = GROUPS.find((name) => typeof node === 'object' && node !== null && name in node);
  return parseInto(group === undefined ? leafSchema : groupSchemas[group], node, context);
});

/** Parses by another schema and passes its complaints on, each at its own place. */
function parseInto<S extends z.ZodType>(schema: S, value: unknown, context: z.RefinementCtx): z.output<S> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  for (const issue of parsed.error.issues) context.addIssue({ code: 'custom', path: [...issue.path], message: issue.message });
  return z.NEVER;
}

const branch = z.array(z.lazy(() => nodeSchema)).max(MAX_NODES);
const groupSchemas = {
  all: z.strictObject({ all: branch }),
  any: z.strictObject({ any: branch }),
  /** `not` takes one condition or a list, of which none may hold. */
  not: z.strictObject({
    not: z.unknown().transform((node, context) => parseInto(Array.isArray(node) ? branch : nodeSchema, node, context)),
  }),
} as const;

/** Conditions as the API takes them; bounded in depth and size before anything looks inside. */
export const conditionTreeSchema = z
  .unknown()
  .refine((tree) => depthOf(tree) <= MAX_DEPTH * 2, `conditions may be nested ${MAX_DEPTH} deep`)
  .refine((tree) => JSON.stringify(tree).length <= 20_000, 'conditions are limited to 20,000 characters')
  .pipe(nodeSchema);

function depthOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  const deepest = Object.values(value).map((item) => depthOf(item));
  return 1 + Math.max(0, ...deepest);
}

/** True for a single condition, false for a group. */
export function isCondition(tree: ConditionTree): tree is Condition {
  return 'op' in tree;
}
