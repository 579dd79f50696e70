/** The grammar of a rule's conditions: a tree of `all`, `any` and `not` over `{field, op, value}`. Parsed here once, then trusted. */

import { z } from 'zod';
import { wordIssue } from './issue-words';

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

const MAX_GROUPS_DEEP = 8;
/** A group is an object around a list; the innermost condition may hold a list of objects. */
const MAX_JSON_DEPTH = MAX_GROUPS_DEEP * 2 + 3;
const MAX_NODES = 100;
const MAX_CHARACTERS = 20_000;
const MAX_TEXT = 500;

const text = z.string().max(MAX_TEXT, `has at most ${MAX_TEXT} characters`);
/** An option of Pipedrive, kept by id and by the name it had when it was chosen; only the id counts. */
const named = z.strictObject({ id: z.union([z.number(), text]), name: text.nullish() });
const money = z.strictObject({
  amount: z.number(),
  currency: z.string().regex(/^[A-Z]{3}$/, 'a currency is a three-letter code such as EUR'),
});
/** A day relative to today in the tenant's time zone. */
const relativeDay = z.strictObject({ days: z.number().int().min(-3650).max(3650) });
const scalar = z.union([text, z.number(), z.boolean(), named, money, relativeDay], {
  error: ({ input }) =>
    input === null
      ? 'empty is not one of several values: make a condition of its own for it'
      : 'must be a text, a number, true or false, {id, name}, {amount, currency} or {days}',
});
const many = z.array(scalar).min(1, 'must name at least one value').max(200, 'has at most 200 values');
const oneOrMany = z.union([scalar.nullable(), many], { error: 'must be a value, null for empty, or a list of values' });

const DATE = /^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:?\d{2})?)?$/;
const date = text.refine((value) => DATE.test(value) && !Number.isNaN(Date.parse(value)), 'is a date such as 2026-11-23');
const time = text.regex(/^([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?$/);
const numericText = text.regex(/^-?\d+(\.\d+)?$/);
/** Today, a day relative to today, or a date (and time). */
const moment = z.union([z.literal('today'), relativeDay, date], {
  error: 'must be “today”, {days} or a date such as 2026-11-23',
});
const measure = z.union([z.number(), money, z.literal('today'), relativeDay, date, time, numericText], {
  error: 'must be a number, {amount, currency}, a date such as 2026-11-23, “today”, {days} or a time such as 09:30',
});
const step = z.union(
  [
    z.number().positive(),
    money.refine(({ amount }) => amount > 0, 'must be more than 0'),
    z.strictObject({ percent: z.number().positive() }),
    z.strictObject({ days: z.number().int().positive() }),
  ],
  { error: 'must be a positive number, {amount, currency}, {percent} or {days}' },
);

/** Pipedrive's name of a field or a custom field's key; as people write it, also what the field is called. */
const field = z.string({ error: 'must name a field' }).trim().min(1, 'must name a field').max(200, 'has at most 200 characters');
/** `true` is taken too: `changed: true` is how many people say it. */
const nothing = z.union([z.null(), z.literal(true)], { error: 'must be left out: this operator needs no value' }).optional();

/** What each operator compares with. */
const leafSchema = z.discriminatedUnion(
  'op',
  [
    z.strictObject({ field, op: z.enum(['is', 'isNot']), value: scalar.nullable() }),
    z.strictObject({ field, op: z.literal('includes'), value: scalar }),
    z.strictObject({ field, op: z.enum(['in', 'notIn', 'includesAny', 'includesAll', 'includesNone']), value: many }),
    z.strictObject({ field, op: z.enum(['contains', 'notContains']), value: text.min(1, 'must not be empty') }),
    z.strictObject({ field, op: z.literal('matches'), value: text.min(1, 'must not be empty') }),
    z.strictObject({ field, op: z.enum(['isEmpty', 'isNotEmpty']), value: nothing }),
    z.strictObject({ field, op: z.literal('changed'), value: nothing }),
    z.strictObject({ field, op: z.enum(['gt', 'gte', 'lt', 'lte']), value: measure }),
    z.strictObject({
      field,
      op: z.literal('between'),
      value: z.tuple([measure, measure], { error: 'must be a list of two values, the lower first' }),
    }),
    z.strictObject({ field, op: z.enum(['changedTo', 'changedFrom']), value: oneOrMany }),
    z.strictObject({ field, op: z.enum(['increasedBy', 'decreasedBy']), value: step }),
    z.strictObject({ field, op: z.enum(['before', 'after']), value: moment }),
    z.strictObject({ field, op: z.literal('withinDays'), value: z.number().int().min(-3650).max(3650) }),
  ],
  { error: `must be one of ${OPERATORS.join(', ')}` },
);
export type Condition = z.infer<typeof leafSchema>;

export type ConditionTree =
  | Condition
  | { readonly all: readonly ConditionTree[] }
  | { readonly any: readonly ConditionTree[] }
  | { readonly not: ConditionTree | readonly ConditionTree[] };

const GROUPS = ['all', 'any', 'not'] as const;

/** A group or a single condition, told apart by its keys, so that a mistake is named where it is. */
const nodeSchema: z.ZodType<ConditionTree> = z.unknown().transform((node, context): ConditionTree => {
  if (typeof node !== 'object' || node === null || Array.isArray(node)) {
    context.addIssue({
      code: 'custom',
      message: 'must be {field, op, value}, or {all: [...]}, {any: [...]} or {not: ...} around such',
    });
    return z.NEVER;
  }
  // An empty tree asks for nothing.
  if (Object.keys(node).length === 0) return { all: [] };
  const group = GROUPS.find((name) => name in node);
  return parseInto(group === undefined ? leafSchema : groupSchemas[group], node, context);
});

/** Parses by another schema and passes its complaints on, each at its own place; unknown fields are named one by one. */
function parseInto<S extends z.ZodType>(schema: S, value: unknown, context: z.RefinementCtx): z.output<S> {
  const parsed = schema.safeParse(value, { error: wordIssue });
  if (parsed.success) return parsed.data;
  for (const issue of parsed.error.issues) {
    const unknown = issue.code === 'unrecognized_keys' ? issue.keys : [];
    for (const key of unknown) context.addIssue({ code: 'custom', path: [...issue.path, key], message: 'Unknown field' });
    if (unknown.length === 0) context.addIssue({ code: 'custom', path: [...issue.path], message: issue.message });
  }
  return z.NEVER;
}

const branch = z.array(z.lazy(() => nodeSchema)).max(MAX_NODES, `has at most ${MAX_NODES} conditions`);
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
  .refine((tree) => !isDeeperThan(tree, MAX_JSON_DEPTH), {
    message: `conditions may be nested ${MAX_GROUPS_DEEP} deep`,
    abort: true,
  })
  .refine((tree) => charactersOf(tree) <= MAX_CHARACTERS, {
    message: `conditions are limited to ${MAX_CHARACTERS} characters`,
    abort: true,
  })
  .pipe(nodeSchema);

function charactersOf(tree: unknown): number {
  return tree === undefined ? 0 : JSON.stringify(tree).length;
}

function isDeeperThan(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return levels === 0 || Object.values(value).some((item) => isDeeperThan(item, levels - 1));
}

/** True for a single condition, false for a group. */
export function isCondition(tree: ConditionTree): tree is Condition {
  return 'op' in tree;
}
