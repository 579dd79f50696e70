/** Histories of records, a rule each, and what must come of it: the contract's word on events, filters, conditions and settling as data. */

/** What happens to a record: fields that it gets or takes, and what else the event says of itself. */
export interface Happening {
  readonly action: 'create' | 'change' | 'delete';
  readonly fields: Readonly<Record<string, unknown>>;
  readonly meta?: Readonly<Record<string, unknown>>;
}

export interface RuleCase {
  readonly name: string;
  readonly entity: string;
  readonly history: readonly Happening[];
  readonly eventType: string;
  readonly filters: Readonly<Record<string, unknown>>;
  readonly settleMs: number;
  /** Messages that the rule sends of this history. */
  readonly messages: number;
  /** What the reason on the last event says. */
  readonly reason: RegExp;
}

type Fields = Readonly<Record<string, unknown>>;
type Meta = Readonly<Record<string, unknown>>;

export const created = (fields: Fields = {}, meta: Meta = {}): Happening => ({ action: 'create', fields, meta });
export const changed = (fields: Fields, meta: Meta = {}): Happening => ({ action: 'change', fields, meta });
export const deleted = (meta: Meta = {}): Happening => ({ action: 'delete', fields: {}, meta });

export const TEXT = '1a'.repeat(20);
export const NUMBER = '2a'.repeat(20);
export const MONEY = '3a'.repeat(20);
export const OPTION = '4a'.repeat(20);
export const SET = '5a'.repeat(20);
export const DATE = '6a'.repeat(20);
export const RANGE = '7a'.repeat(20);
export const TIME = '8a'.repeat(20);
export const USER = '9a'.repeat(20);
export const ADDRESS = 'aa'.repeat(20);
const LABEL = '134b4de7-dcbc-46ae-b8f2-2eb328eebfe8';

const custom = (key: string, value: unknown): Fields => ({ custom_fields: { [key]: value } });

/** A rule's event and filters, the history, how many messages; the reason where it is about more than "matched". */
type Row = readonly [
  name: string,
  eventType: string,
  filters: Fields,
  history: readonly Happening[],
  messages: number,
  reason?: RegExp | undefined,
];

const MATCHED = /^Matched/;

function cases(rows: readonly Row[], settleMs = 0): readonly RuleCase[] {
  return rows.map(([name, eventType, filters, history, messages, reason]) => ({
    ...{ name, eventType, filters, history, messages, settleMs },
    entity: eventType === 'lead.converted' ? 'deal' : (eventType.split('.')[0] ?? ''),
    reason: reason ?? (messages > 0 ? MATCHED : /./),
  }));
}

const WON = changed({ status: 'won', won_time: '2026-11-25T10:00:00Z' });
const LISTENS = /listens to/;

const TRANSITIONS = cases([
  ['a new deal', 'deal.created', {}, [created()], 1],
  ['a new deal that is won', 'deal.created', {}, [created({ status: 'won' })], 1],
  ['a deal created as won', 'deal.won', {}, [created({ status: 'won' })], 1],
  ['a deal created as lost', 'deal.lost', {}, [created({ status: 'lost' })], 1],
  ['a new open deal, to a rule on wins', 'deal.won', {}, [created()], 0, LISTENS],
  ['a win', 'deal.won', {}, [created(), WON], 1],
  ['an edit of a won deal', 'deal.won', {}, [created({ status: 'won' }), changed({ title: 'Other' })], 1, LISTENS],
  ['a win after a loss', 'deal.won', {}, [created({ status: 'lost' }), WON], 1],
  ['a loss', 'deal.lost', {}, [created(), changed({ status: 'lost', lost_reason: 'Price' })], 1],
  ['a deletion, to a rule on losses', 'deal.lost', {}, [created(), deleted()], 0, LISTENS],
  ['a won deal reopened', 'deal.reopened', {}, [created({ status: 'won' }), changed({ status: 'open', won_time: null })], 1],
  ['a lost deal reopened', 'deal.reopened', {}, [created({ status: 'lost' }), changed({ status: 'open' })], 1],
  ['a win of an open deal, to a rule on reopening', 'deal.reopened', {}, [created(), WON], 0, LISTENS],
  ['two wins with a reopening between', 'deal.won', {}, [created(), WON, changed({ status: 'open' }), WON], 2],
  ['a move to another stage', 'deal.stage_changed', {}, [created(), changed({ stage_id: 12 })], 1],
  [
    'a move to another pipeline, to a rule on stages',
    'deal.stage_changed',
    {},
    [created(), changed({ pipeline_id: 2, stage_id: 21 })],
    0,
    LISTENS,
  ],
  ['a move to another pipeline', 'deal.pipeline_changed', {}, [created(), changed({ pipeline_id: 2, stage_id: 21 })], 1],
  ['an edit, to a rule on stages', 'deal.stage_changed', {}, [created(), changed({ title: 'Other' })], 0, LISTENS],
  ['another owner', 'deal.owner_changed', {}, [created(), changed({ owner_id: 2 })], 1],
  ['another amount', 'deal.value_changed', {}, [created(), changed({ value: 200 })], 1],
  ['another currency', 'deal.value_changed', {}, [created(), changed({ currency: 'USD' })], 1],
  ['a first value', 'deal.value_changed', {}, [created({ value: null }), changed({ value: 5 })], 1],
  ['a value that is cleared', 'deal.value_changed', {}, [created(), changed({ value: null })], 1],
  ['a close date that is set', 'deal.close_date_changed', {}, [created(), changed({ expected_close_date: '2026-12-24' })], 1],
  [
    'a close date that is cleared',
    'deal.close_date_changed',
    {},
    [created({ expected_close_date: '2026-12-24' }), changed({ expected_close_date: null })],
    1,
  ],
  ['a label that is added', 'deal.label_added', {}, [created({ label_ids: [1] }), changed({ label_ids: [2, 1] })], 1],
  ['a label that is removed', 'deal.label_added', {}, [created({ label_ids: [1, 2] }), changed({ label_ids: [1] })], 0, LISTENS],
  [
    'labels in another order',
    'deal.label_added',
    {},
    [created({ label_ids: [1, 2] }), changed({ label_ids: [2, 1] })],
    0,
    LISTENS,
  ],
  [
    'a field that is listened to',
    'deal.field_changed',
    { fields: ['probability'] },
    [created(), changed({ probability: 50 })],
    1,
  ],
  [
    'another field',
    'deal.field_changed',
    { fields: ['probability'] },
    [created(), changed({ title: 'Other' })],
    0,
    /probability/i,
  ],
  [
    'a custom field',
    'deal.field_changed',
    { fields: [TEXT] },
    [created(), changed(custom(TEXT, { type: 'varchar', value: 'x' }))],
    1,
  ],
  [
    'another custom field',
    'deal.field_changed',
    { fields: [TEXT] },
    [created(), changed(custom(NUMBER, { type: 'double', value: 1 }))],
    0,
  ],
  ['a deletion', 'deal.deleted', {}, [created(), deleted()], 1],
  ['an archived lead', 'lead.archived', {}, [created(), changed({ is_archived: true })], 1],
  ['a new lead', 'lead.created', {}, [created()], 1],
  ['a new person', 'person.created', {}, [created()], 1],
  ['an edited person', 'person.created', {}, [created(), changed({ name: 'Other' })], 1, LISTENS],
  ['a new organization', 'organization.created', {}, [created()], 1],
  ['a new activity', 'activity.created', {}, [created()], 1],
  ['an activity that is done', 'activity.completed', {}, [created(), changed({ done: true })], 1],
  ['an activity logged as done', 'activity.completed', {}, [created({ done: true })], 1],
  ['an activity that is open again', 'activity.completed', {}, [created({ done: true }), changed({ done: false })], 1, LISTENS],
  ['a new note', 'note.created', {}, [created()], 1],
]);

const FILTERS = cases([
  ['the pipeline', 'deal.won', { pipelineIds: [1] }, [created(), WON], 1],
  ['another pipeline', 'deal.won', { pipelineIds: [2, 3] }, [created(), WON], 0, /pipeline/i],
  ['the stage moved to', 'deal.stage_changed', { stageIds: [12] }, [created(), changed({ stage_id: 12 })], 1],
  [
    'the stage left, which is not the one moved to',
    'deal.stage_changed',
    { stageIds: [11] },
    [created(), changed({ stage_id: 12 })],
    0,
    /stage/i,
  ],
  ['the stage left', 'deal.stage_changed', { fromStageIds: [11] }, [created(), changed({ stage_id: 12 })], 1],
  ['another stage left', 'deal.stage_changed', { fromStageIds: [13] }, [created(), changed({ stage_id: 12 })], 0, /stage/i],
  ['the owner', 'deal.won', { ownerIds: [1, 2] }, [created(), WON], 1],
  ['another owner', 'deal.won', { ownerIds: [2] }, [created(), WON], 0, /owner/i],
  ['the new owner', 'deal.owner_changed', { ownerIds: [2] }, [created(), changed({ owner_id: 2 })], 1],
  ['the author of a note', 'note.created', { ownerIds: [7] }, [created({ user_id: 7 })], 1],
  ['a value at the limit', 'deal.won', { minValue: 100 }, [created(), WON], 1],
  ['a value below the limit', 'deal.won', { minValue: 100.01 }, [created(), WON], 0, /100 EUR.*below.*100\.01 EUR/],
  ['no value', 'deal.won', { minValue: 1 }, [created({ value: null }), WON], 0, /no value/],
  ['a value of nought at a limit of nought', 'deal.won', { minValue: 0 }, [created({ value: 0 }), WON], 1],
  [
    'a foreign value over the limit',
    'deal.won',
    { minValue: 100, currency: 'EUR' },
    [created({ value: 250, currency: 'USD' }), WON],
    1,
  ],
  [
    'a foreign value below the limit',
    'deal.won',
    { minValue: 100, currency: 'EUR' },
    [created({ value: 150, currency: 'USD' }), WON],
    0,
    /150 USD is 75 EUR.*100 EUR/,
  ],
  [
    'a limit in a foreign currency',
    'deal.won',
    { minValue: 201, currency: 'USD' },
    [created(), WON],
    0,
    /100 EUR is 200 USD.*201 USD/,
  ],
  ['a value without a rate', 'deal.won', { minValue: 1, currency: 'EUR' }, [created({ currency: 'XTS' }), WON], 0, /rate/],
  ['the same currency without a rate', 'deal.won', { minValue: 1, currency: 'XTS' }, [created({ currency: 'XTS' }), WON], 1],
  ["a lead's value", 'lead.created', { minValue: 300 }, [created({ value: { amount: 300, currency: 'EUR' } })], 1],
  ['a lead without a value', 'lead.created', { minValue: 300 }, [created({ value: null })], 0, /no value/],
  ['empty lists, which filter nothing', 'deal.won', { pipelineIds: [], ownerIds: [] }, [created(), WON], 1],
  [
    'several filters, of which one fails',
    'deal.won',
    { pipelineIds: [1], ownerIds: [2], minValue: 1 },
    [created(), WON],
    0,
    /owner/i,
  ],
]);

/** One condition on a deal that is won; `true` when it holds. */
const leaf = (
  name: string,
  condition: readonly [field: string, op: string, value?: unknown],
  fields: Fields,
  holds: boolean,
  reason?: RegExp,
): Row => {
  const [field, op, value] = condition;
  const conditions = { all: [value === undefined ? { field, op } : { field, op, value }] };
  return [`${name}: ${field} ${op}`, 'deal.won', { conditions }, [created(fields), WON], holds ? 1 : 0, reason];
};
/** The same on a change. */
const step = (
  name: string,
  condition: readonly [field: string, op: string, value?: unknown],
  from: Fields,
  to: Fields,
  holds: boolean,
  reason?: RegExp,
): Row => {
  const [field, op, value] = condition;
  const conditions = value === undefined ? { field, op } : { field, op, value };
  return [
    `${name}: ${field} ${op}`,
    'deal.won',
    { conditions },
    [created(from), changed({ status: 'won', ...to })],
    holds ? 1 : 0,
    reason,
  ];
};

const FULL: Fields = {
  ...{ probability: 40, label_ids: [3, 5], expected_close_date: '2026-11-25', visible_to: '3', lost_reason: null, org_id: 130 },
  custom_fields: {
    [TEXT]: { type: 'varchar', value: 'Gold Partner' },
    [NUMBER]: { type: 'double', value: 12.5 },
    [MONEY]: { type: 'monetary', value: 200, currency: 'USD' },
    [OPTION]: { type: 'enum', id: 17 },
    [SET]: { type: 'set', values: [{ id: 13 }, { id: 14 }] },
    [DATE]: { type: 'date', value: '2026-11-20' },
    [RANGE]: { type: 'daterange', from: '2026-11-10', until: '2026-12-01' },
    [TIME]: { type: 'time', timezone_id: 310, value: '09:45:00' },
    [USER]: { type: 'user', id: 7 },
    [ADDRESS]: { type: 'address', value: 'Tee 3a, Tallinn', formatted_address: 'Tee 3a, 10616 Tallinn', locality: 'Tallinn' },
  },
};

type Asked = readonly [field: string, op: string, value?: unknown];
const HOLDING: readonly Asked[] = [
  ...([
    ['status', 'is', 'won'],
    ['status', 'isNot', 'open'],
    ['status', 'in', ['won', 'lost']],
    ['status', 'notIn', ['open', 'lost']],
  ] as const),
  ...([
    ['title', 'contains', 'case'],
    ['title', 'notContains', 'basic'],
    ['title', 'matches', '^case \\d+$'],
    ['title', 'isNotEmpty'],
  ] as const),
  ...([
    ['lost_reason', 'isEmpty'],
    ['lost_reason', 'is', null],
    ['org_id', 'isNotEmpty'],
    ['org_id', 'is', 130],
    ['owner_id', 'is', 1],
  ] as const),
  ...([
    ['owner_id', 'in', [1, 2]],
    ['owner_id', 'is', { id: 1, name: 'Somebody' }],
    ['stage_id', 'notIn', [12, 13]],
    ['pipeline_id', 'is', 1],
  ] as const),
  ...([
    ['probability', 'gt', 39],
    ['probability', 'gte', 40],
    ['probability', 'lt', 41],
    ['probability', 'lte', 40],
    ['probability', 'between', [40, 50]],
  ] as const),
  ...([
    ['value', 'gt', 99],
    ['value', 'gte', { amount: 200, currency: 'USD' }],
    ['value', 'lt', { amount: 200.01, currency: 'USD' }],
    ['value', 'between', [100, 100]],
    ['value', 'is', 100],
  ] as const),
  ...([
    ['currency', 'is', 'EUR'],
    ['currency', 'in', ['EUR', 'USD']],
    ['visible_to', 'is', '3'],
    ['visible_to', 'in', [3, 7]],
    ['is_archived', 'is', false],
    ['is_archived', 'isNot', true],
  ] as const),
  ...([
    ['label_ids', 'includes', 3],
    ['label_ids', 'includesAny', [9, 5]],
    ['label_ids', 'includesAll', [5, 3]],
    ['label_ids', 'includesNone', [1, 2]],
    ['label_ids', 'isNotEmpty'],
  ] as const),
  ...([
    ['expected_close_date', 'is', '2026-11-25'],
    ['expected_close_date', 'after', '2026-11-24'],
    ['expected_close_date', 'before', '2026-11-26'],
    ['expected_close_date', 'between', ['2026-11-25', '2026-11-30']],
  ] as const),
  ...([
    [TEXT, 'is', 'gold partner'],
    [TEXT, 'contains', 'GOLD'],
    [TEXT, 'matches', 'p.rtner'],
    [NUMBER, 'gt', 12],
    [NUMBER, 'is', 12.5],
    [NUMBER, 'between', [12, 13]],
  ] as const),
  ...([
    [MONEY, 'gt', 199],
    [MONEY, 'is', { amount: 100, currency: 'EUR' }],
    [OPTION, 'is', 17],
    [OPTION, 'in', [{ id: 17, name: 'North' }, 18]],
    [OPTION, 'isNot', 18],
  ] as const),
  ...([
    [SET, 'includes', 13],
    [SET, 'includesAll', [13, 14]],
    [SET, 'includesAny', [14, 99]],
    [SET, 'includesNone', [15]],
    [DATE, 'before', '2026-11-21'],
    [DATE, 'gte', '2026-11-20'],
  ] as const),
  ...([
    [RANGE, 'after', '2026-11-09'],
    [`${RANGE}_until`, 'is', '2026-12-01'],
    [TIME, 'gt', '09:30'],
    [TIME, 'lte', '09:45'],
    [USER, 'is', 7],
    [ADDRESS, 'contains', 'tallinn'],
  ] as const),
  ...([
    [`${ADDRESS}_locality`, 'is', 'Tallinn'],
    ['actor_user_id', 'is', 1],
    ['actor_user_id', 'notIn', [8]],
    ['change_source', 'is', 'app'],
    ['change_source', 'isNot', 'api'],
  ] as const),
  ...([
    ['is_bulk_edit', 'is', false],
    ['is_bulk_edit', 'isNot', true],
    ['status', 'changed'],
    ['status', 'changedTo', 'won'],
    ['status', 'changedFrom', 'open'],
  ] as const),
  ...([
    ['won_time', 'changedFrom', null],
    ['won_time', 'isNotEmpty'],
    ['b'.repeat(40), 'isEmpty'],
    ['b'.repeat(40), 'isNot', 5],
  ] as const),
];
const FAILING: readonly Asked[] = [
  ...([
    ['status', 'is', 'open'],
    ['status', 'isNot', 'won'],
    ['status', 'in', ['open', 'lost']],
    ['status', 'notIn', ['won']],
  ] as const),
  ...([
    ['title', 'contains', 'basic'],
    ['title', 'notContains', 'case'],
    ['title', 'matches', '^basic'],
    ['title', 'isEmpty'],
    ['title', 'is', 'Case'],
  ] as const),
  ...([
    ['lost_reason', 'isNotEmpty'],
    ['lost_reason', 'isNot', null],
    ['lost_reason', 'contains', 'x'],
    ['org_id', 'isEmpty'],
    ['org_id', 'is', 13],
    ['owner_id', 'is', 2],
  ] as const),
  ...([
    ['owner_id', 'notIn', [1]],
    ['stage_id', 'in', [12]],
    ['probability', 'gt', 40],
    ['probability', 'lt', 40],
    ['probability', 'between', [41, 50]],
  ] as const),
  ...([
    ['value', 'gt', 100],
    ['value', 'gt', { amount: 200, currency: 'USD' }],
    ['value', 'gt', { amount: 1, currency: 'XTS' }],
    ['value', 'lt', { amount: 1, currency: 'XTS' }],
    ['value', 'isNot', 100],
  ] as const),
  ...([
    ['label_ids', 'includes', 4],
    ['label_ids', 'includesAny', [9, 8]],
    ['label_ids', 'includesAll', [3, 4]],
    ['label_ids', 'includesNone', [3]],
    ['label_ids', 'isEmpty'],
  ] as const),
  ...([
    ['expected_close_date', 'after', '2026-11-25'],
    ['expected_close_date', 'before', '2026-11-25'],
    [TEXT, 'is', 'gold'],
    [NUMBER, 'gt', 12.5],
  ] as const),
  ...([
    [MONEY, 'gt', 200],
    [MONEY, 'gt', { amount: 100, currency: 'EUR' }],
    [OPTION, 'in', [1, 7]],
    [SET, 'includesAll', [13, 15]],
    [SET, 'includesNone', [14]],
    [DATE, 'after', '2026-11-20'],
  ] as const),
  ...([
    [RANGE, 'before', '2026-11-10'],
    [TIME, 'lt', '09:45'],
    [USER, 'isNot', 7],
    ['actor_user_id', 'is', 2],
    ['change_source', 'is', 'api'],
    ['is_bulk_edit', 'is', true],
  ] as const),
  ...([
    ['title', 'changed'],
    ['status', 'changedTo', 'lost'],
    ['status', 'changedFrom', 'lost'],
    ['value', 'increasedBy', 1],
    ['value', 'decreasedBy', 1],
    ['b'.repeat(40), 'isNotEmpty'],
  ] as const),
  ...([
    ['b'.repeat(40), 'gt', 0],
    ['b'.repeat(40), 'lt', 5],
    ['b'.repeat(40), 'is', 0],
    ['b'.repeat(40), 'includes', 1],
  ] as const),
];

const LEAVES = cases([
  ...HOLDING.map((asked) => leaf(JSON.stringify(asked[2] ?? null), asked, FULL, true)),
  ...FAILING.map((asked) => leaf(`not ${JSON.stringify(asked[2] ?? null)}`, asked, FULL, false, /^Not matched: /)),
]);

const CHANGES = cases([
  step('a step up', ['value', 'increasedBy', 50], { value: 100 }, { value: 150 }, true),
  step(
    'a small step up',
    ['value', 'increasedBy', 50],
    { value: 100 },
    { value: 149.99 },
    false,
    /100 EUR to 149\.99 EUR.*50 EUR/,
  ),
  step('a step down', ['value', 'increasedBy', 50], { value: 200 }, { value: 100 }, false),
  step('down', ['value', 'decreasedBy', 50], { value: 200 }, { value: 150 }, true),
  step('a tenth', ['value', 'increasedBy', { percent: 10 }], { value: 100 }, { value: 110 }, true),
  step('less than a tenth', ['value', 'increasedBy', { percent: 10 }], { value: 100 }, { value: 109 }, false, /10 ?%/),
  step('a tenth down', ['value', 'decreasedBy', { percent: 10 }], { value: 100 }, { value: 90 }, true),
  step('in another currency', ['value', 'increasedBy', { amount: 100, currency: 'USD' }], { value: 100 }, { value: 150 }, true),
  step('from nothing', ['value', 'increasedBy', 5], { value: null }, { value: 5 }, true),
  step('a percentage of nothing', ['value', 'increasedBy', { percent: 5 }], { value: null }, { value: 5 }, false),
  step(
    'a week later',
    ['expected_close_date', 'increasedBy', { days: 7 }],
    { expected_close_date: '2026-11-20' },
    { expected_close_date: '2026-11-27' },
    true,
  ),
  step(
    'six days later',
    ['expected_close_date', 'increasedBy', { days: 7 }],
    { expected_close_date: '2026-11-20' },
    { expected_close_date: '2026-11-26' },
    false,
  ),
  step(
    'sooner',
    ['expected_close_date', 'decreasedBy', { days: 7 }],
    { expected_close_date: '2026-11-27' },
    { expected_close_date: '2026-11-20' },
    true,
  ),
  step(
    'a first date',
    ['expected_close_date', 'increasedBy', { days: 1 }],
    { expected_close_date: null },
    { expected_close_date: '2026-11-20' },
    false,
  ),
  step('an added label', ['label_ids', 'changedTo', 3], { label_ids: [1] }, { label_ids: [1, 3] }, true),
  step('a label that was there', ['label_ids', 'changedTo', 1], { label_ids: [1] }, { label_ids: [1, 3] }, false),
  step('a label that went', ['label_ids', 'changedFrom', 1], { label_ids: [1, 3] }, { label_ids: [3] }, true),
  step(
    'an option',
    [OPTION, 'changedTo', 17],
    custom(OPTION, { type: 'enum', id: 16 }),
    custom(OPTION, { type: 'enum', id: 17 }),
    true,
  ),
  step(
    'an option from',
    [OPTION, 'changedFrom', 16],
    custom(OPTION, { type: 'enum', id: 16 }),
    custom(OPTION, { type: 'enum', id: 17 }),
    true,
  ),
  step('an option to nothing', [OPTION, 'changedTo', null], custom(OPTION, { type: 'enum', id: 16 }), custom(OPTION, null), true),
  step(
    'an option from nothing',
    [OPTION, 'changedFrom', null],
    custom(OPTION, null),
    custom(OPTION, { type: 'enum', id: 16 }),
    true,
  ),
  step('the stage', ['stage_id', 'changedTo', [12, 13]], { stage_id: 11 }, { stage_id: 12 }, true),
  step('the stage from', ['stage_id', 'changedFrom', [10, 11]], { stage_id: 11 }, { stage_id: 12 }, true),
  [
    'from X to Y',
    'deal.stage_changed',
    {
      conditions: {
        all: [
          { field: 'stage_id', op: 'changedFrom', value: 11 },
          { field: 'stage_id', op: 'changedTo', value: 13 },
        ],
      },
    },
    [created(), changed({ stage_id: 13 })],
    1,
  ],
  [
    'from X to another',
    'deal.stage_changed',
    {
      conditions: {
        all: [
          { field: 'stage_id', op: 'changedFrom', value: 11 },
          { field: 'stage_id', op: 'changedTo', value: 13 },
        ],
      },
    },
    [created(), changed({ stage_id: 12 })],
    0,
  ],
  ['a creation, which changes nothing', 'deal.created', { conditions: { field: 'value', op: 'changed' } }, [created()], 0],
]);

const yes = { field: 'status', op: 'is', value: 'won' };
const no = { field: 'title', op: 'contains', value: 'nowhere' };
const noRate = { field: 'value', op: 'gt', value: { amount: 1, currency: 'XTS' } };
const tree = (name: string, conditions: unknown, holds: boolean, reason?: RegExp): Row => [
  `the tree ${name}`,
  'deal.won',
  { conditions },
  [created(FULL), WON],
  holds ? 1 : 0,
  reason,
];

const TREES = cases([
  tree('all of two', { all: [yes, yes] }, true),
  tree('all with one that fails', { all: [yes, no] }, false, /title.*nowhere/i),
  tree('any with one', { any: [no, yes] }, true),
  tree('any with none', { any: [no, { field: 'status', op: 'is', value: 'lost' }] }, false, /title.*nowhere.*status.*lost/i),
  tree('not of one that fails', { not: [no] }, true),
  tree('not of one that holds', { not: [yes] }, false, /status.*won/i),
  tree('not of several, one holds', { not: [no, yes] }, false),
  tree('not of a group', { not: { all: [yes, no] } }, true),
  tree('not not', { not: { not: yes } }, true),
  tree('nothing at all', {}, true),
  tree('empty all', { all: [] }, true),
  tree('a leaf alone', yes, true),
  tree('groups in groups', { all: [{ any: [no, { all: [yes, { not: no }] }] }, yes] }, true),
  tree('a missing rate', noRate, false, /rate/),
  tree('a missing rate under not', { not: noRate }, false, /rate/),
  tree('a missing rate beside what holds', { any: [noRate, yes] }, true),
  tree('a missing rate beside what fails', { all: [noRate, no] }, false, /nowhere/),
]);

const OTHERS = cases([
  [
    "a lead's label",
    'lead.created',
    { conditions: { field: 'label_ids', op: 'includes', value: LABEL } },
    [created({ label_ids: [LABEL] })],
    1,
  ],
  [
    "a lead's value",
    'lead.created',
    { conditions: { field: 'value', op: 'gte', value: { amount: 600, currency: 'USD' } } },
    [created({ value: { amount: 300, currency: 'EUR' } })],
    1,
  ],
  [
    "a lead's source",
    'lead.created',
    { conditions: { field: 'source_name', op: 'contains', value: 'chat' } },
    [created({ source_name: 'Manually created' })],
    0,
    /source/,
  ],
  [
    "a lead's organization",
    'lead.created',
    { conditions: { field: 'organization_id', op: 'isNotEmpty' } },
    [created({ organization_id: 2 })],
    1,
  ],
  [
    "a person's e-mail",
    'person.created',
    { conditions: { field: 'emails', op: 'contains', value: '@acme.test' } },
    [created({ emails: [{ value: 'ann@acme.test', primary: true, label: 'work' }] })],
    1,
  ],
  [
    "a person's telephone",
    'person.created',
    { conditions: { field: 'phones', op: 'matches', value: '^\\+372' } },
    [created({ phones: [{ value: '+372 5555', primary: true, label: 'work' }] })],
    1,
  ],
  ['a person without e-mail', 'person.created', { conditions: { field: 'emails', op: 'isEmpty' } }, [created({ emails: [] })], 1],
  [
    "an organization's address",
    'organization.created',
    { conditions: { field: 'address', op: 'contains', value: 'tallinn' } },
    [created({ address: { value: 'Tee 3a, Tallinn', locality: 'Tallinn' } })],
    1,
  ],
  [
    "an activity's type",
    'activity.completed',
    { conditions: { field: 'type', op: 'in', value: ['call', 'meeting'] } },
    [created({ type: 'call' }), changed({ done: true })],
    1,
  ],
  [
    "an activity's other type",
    'activity.completed',
    { conditions: { field: 'type', op: 'is', value: 'task' } },
    [created({ type: 'call' }), changed({ done: true })],
    0,
    /type/,
  ],
  [
    "an activity's day",
    'activity.created',
    { conditions: { field: 'due_date', op: 'before', value: '2026-12-01' } },
    [created({ due_date: '2026-11-24' })],
    1,
  ],
  [
    "an activity's time",
    'activity.created',
    { conditions: { field: 'due_time', op: 'gte', value: '14:00' } },
    [created({ due_time: { timezone_id: 310, value: '14:30:00' } })],
    1,
  ],
  [
    'an activity all day',
    'activity.created',
    { conditions: { field: 'due_time', op: 'isEmpty' } },
    [created({ due_time: null })],
    1,
  ],
  [
    'an activity of a deal',
    'activity.created',
    { conditions: { field: 'deal_id', op: 'isNotEmpty' } },
    [created({ deal_id: 10 })],
    1,
  ],
  ["a note's text", 'note.created', { conditions: { field: 'content', op: 'contains', value: 'CASE' } }, [created()], 1],
  [
    'a note of a deal',
    'note.created',
    { conditions: { field: 'deal_id', op: 'is', value: 10 } },
    [created({ deal_id: 11 })],
    0,
    /deal/,
  ],
  [
    'an edit by the API',
    'deal.won',
    { conditions: { field: 'change_source', op: 'isNot', value: 'api' } },
    [created(), { ...WON, meta: { change_source: 'api' } }],
    0,
    /API|automation/i,
  ],
  [
    'an edit in bulk',
    'deal.won',
    { conditions: { field: 'is_bulk_edit', op: 'is', value: false } },
    [created(), { ...WON, meta: { is_bulk_edit: true } }],
    0,
    /bulk/,
  ],
  [
    'an edit by somebody',
    'deal.won',
    { conditions: { field: 'actor_user_id', op: 'isNot', value: 77 } },
    [created(), { ...WON, meta: { user_id: '77' } }],
    0,
    /who did it/,
  ],
  [
    'an edit by nobody known',
    'deal.won',
    { conditions: { field: 'actor_user_id', op: 'isNotEmpty' } },
    [created(), { ...WON, meta: { user_id: null } }],
    0,
  ],
  [
    'a deal for all eyes',
    'deal.won',
    { conditions: { field: 'visible_to', op: 'is', value: '1' } },
    [created({ visible_to: '3' }), WON],
    0,
    /visib/,
  ],
]);

const SETTLED = cases(
  [
    [
      'A to B to A',
      'deal.stage_changed',
      {},
      [created(), changed({ stage_id: 12 }), changed({ stage_id: 11 })],
      0,
      /taken back|created/,
    ],
    ['edits inside the window of a new deal', 'deal.created', { minValue: 500 }, [created(), changed({ value: 600 })], 1, /./],
    ['a win that is taken back', 'deal.won', {}, [created(), WON, changed({ status: 'open', won_time: null })], 0, /./],
    ['a value that comes after the win', 'deal.won', { minValue: 500 }, [created(), WON, changed({ value: 600 })], 1, /./],
    ['a value that goes after the win', 'deal.won', { minValue: 50 }, [created(), WON, changed({ value: 10 })], 0, /10 EUR/],
    [
      'a condition that comes true in the window',
      'deal.won',
      { conditions: { field: 'label_ids', op: 'includes', value: 3 } },
      [created(), WON, changed({ label_ids: [3] })],
      1,
      /./,
    ],
    [
      'a condition that becomes false in the window',
      'deal.won',
      { conditions: { field: 'label_ids', op: 'includesNone', value: [3] } },
      [created(), WON, changed({ label_ids: [3] })],
      0,
      /label/,
    ],
  ],
  1200,
);

export const RULE_CASES: readonly RuleCase[] = [
  ...[...TRANSITIONS, ...FILTERS, ...LEAVES, ...CHANGES, ...TREES, ...OTHERS, ...SETTLED].map((one, at) => ({
    ...one,
    name: `${at} ${one.name}`,
  })),
];
