/** Histories of several events and what rules of different patience must make of them: the contract's word on windows, merges, conversions, money and routing as data. */

type Fields = Readonly<Record<string, unknown>>;

/** One webhook. */
export interface Step {
  readonly action: 'create' | 'change' | 'delete';
  readonly entity: 'deal' | 'lead' | 'activity';
  /** Which record of the case, where there are several. */
  readonly on: string;
  readonly fields: Fields;
  /** Instead of the old values of `fields`. */
  readonly previous?: Fields | null;
  /** `@name` stands for the id of that record, `#` for the correlation of the case. */
  readonly meta: Fields;
  /** Seconds laid on `meta.timestamp`. */
  readonly seconds: number;
  /** Milliseconds that really pass before it is sent. */
  readonly afterMs: number;
  /** The step before is sent once more, with these differences in `meta`. */
  readonly isRepeat: boolean;
}

export interface Expectation {
  readonly eventType: string;
  readonly settleMs: number;
  readonly filters?: Fields;
  readonly stopAfter?: boolean;
  /** Rules with one name share a space. */
  readonly space?: string;
  readonly sent: number;
  /** What the decision on the last event says. */
  readonly reason?: RegExp;
  /** What the first message says, and what it does not. */
  readonly says?: RegExp;
  readonly saysNot?: RegExp;
}

export interface History {
  readonly name: string;
  readonly steps: readonly Step[];
  readonly rules: readonly Expectation[];
}

type Options = Partial<Pick<Step, 'on' | 'entity' | 'meta' | 'seconds' | 'afterMs' | 'previous'>>;
const step = (action: Step['action'], fields: Fields, options: Options): Step => ({
  ...{ action, entity: 'deal', on: 'one', fields, meta: {}, seconds: 0, afterMs: 0, isRepeat: false },
  ...options,
});
const created = (fields: Fields = {}, options: Options = {}): Step => step('create', fields, options);
const changed = (fields: Fields, options: Options = {}): Step => step('change', fields, options);
const deleted = (options: Options = {}): Step => step('delete', {}, options);
const repeated = (meta: Fields): Step => ({ ...step('change', {}, { meta }), isRepeat: true });

/** Patience that all steps of a case fit into, and one that none does after `LATER`. */
export const LONG = 4_000;
export const SHORT = 300;
const LATER = { afterMs: 1_500 };
/** Stages of the first pipeline by their place, `P2` the second pipeline with its first stage. */
export const PLACES = { A: 'Qualified', B: 'Contact made', C: 'Proposal made' } as const;
const [A, B, C] = ['%A', '%B', '%C'];
const P2 = { pipeline_id: '%P2', stage_id: '%X' };
const OPTION = '4a'.repeat(20);
const option = (id: number | null): Fields => ({ custom_fields: { [OPTION]: id === null ? null : { type: 'enum', id } } });

const rule = (
  eventType: string,
  settleMs: number,
  sent: number,
  more: Omit<Expectation, 'eventType' | 'settleMs' | 'sent'> = {},
) => ({
  ...{ eventType, settleMs, sent },
  ...more,
});
const stage = (settleMs: number, sent: number, filters: Fields = {}, more: Partial<Expectation> = {}) =>
  rule('deal.stage_changed', settleMs, sent, { filters, ...more });

const toB = changed({ stage_id: B });
const won = changed({ status: 'won' });
const old = { seconds: -600 };
const start = (fields: Fields = {}): Step => created(fields, old);
/** The record is known, and whatever its creation opened is over. */
const settled = (first: Step): Step => ({ ...first, ...LATER });

const WINDOWS: readonly History[] = [
  {
    name: 'A to B to A',
    steps: [start(), settled(toB), changed({ stage_id: A })],
    rules: [
      stage(SHORT, 0, {}, { reason: /taken back/ }),
      stage(SHORT, 0, { stageIds: [B] }),
      stage(SHORT, 0, { stageIds: [A] }),
      stage(0, 2),
    ],
  },
  {
    name: 'A to B to C',
    steps: [start(), settled(toB), changed({ stage_id: C })],
    rules: [
      stage(SHORT, 1, {}, { says: /Qualified[^]*Proposal made/, saysNot: /Contact made/ }),
      stage(SHORT, 0, { stageIds: [B] }),
      stage(SHORT, 1, { stageIds: [C] }),
      stage(SHORT, 0, { fromStageIds: [B] }),
      stage(SHORT, 1, { fromStageIds: [A], stageIds: [C] }),
      stage(SHORT, 1, {
        conditions: {
          all: [
            { field: 'stage_id', op: 'changedFrom', value: A },
            { field: 'stage_id', op: 'changedTo', value: C },
          ],
        },
      }),
      stage(0, 2),
    ],
  },
  {
    name: 'A to B and later back',
    steps: [start(), settled(toB), changed({ stage_id: A }, LATER)],
    rules: [stage(0, 2), stage(SHORT, 2), stage(LONG, 0)],
  },
  {
    name: 'a new deal that is moved at once',
    steps: [created(), toB],
    rules: [rule('deal.created', LONG, 1), stage(LONG, 0), stage(0, 1)],
  },
  {
    name: 'a new deal that is moved later',
    steps: [created(), settled(toB)],
    rules: [rule('deal.created', SHORT, 1), stage(SHORT, 1), stage(LONG, 0)],
  },
  {
    name: 'a new deal that is deleted at once',
    steps: [created(), deleted()],
    rules: [rule('deal.created', LONG, 0), rule('deal.created', 0, 1), rule('deal.deleted', 0, 1)],
  },
  {
    name: 'won, open and won again at once',
    steps: [start(), settled(won), changed({ status: 'open' }), won],
    rules: [rule('deal.won', LONG, 1), rule('deal.reopened', LONG, 0)],
  },
  {
    name: 'won and then lost at once',
    steps: [start(), settled(won), changed({ status: 'lost' })],
    rules: [rule('deal.won', SHORT, 0), rule('deal.lost', SHORT, 1, { reason: /Matched|Told/ })],
  },
  {
    name: 'reopened and lost again at once',
    steps: [start({ status: 'lost' }), settled(changed({ status: 'open' })), changed({ status: 'lost' })],
    rules: [rule('deal.reopened', SHORT, 0), rule('deal.lost', SHORT, 1)],
  },
  {
    name: 'won and deleted at once',
    steps: [start(), settled(won), deleted()],
    rules: [rule('deal.won', SHORT, 0), rule('deal.deleted', SHORT, 1)],
  },
  {
    name: 'won and moved at once',
    steps: [start(), settled(changed({ status: 'won', stage_id: B }))],
    rules: [rule('deal.won', SHORT, 1), stage(SHORT, 1), rule('deal.created', 0, 1, { reason: /listens to/ })],
  },
  {
    name: 'an edit in the window',
    steps: [start(), settled(won), changed({ value: 4321 })],
    rules: [rule('deal.won', SHORT, 1, { says: /4,321/, reason: /Told together with event \d+/ })],
  },
  {
    name: 'owners to and fro',
    steps: [start(), settled(changed({ owner_id: 700 })), changed({ owner_id: '%OWNER' })],
    rules: [rule('deal.owner_changed', SHORT, 0)],
  },
  {
    name: 'labels to and fro',
    steps: [start({ label_ids: [1] }), settled(changed({ label_ids: [1, 2] })), changed({ label_ids: [1] })],
    rules: [rule('deal.label_added', SHORT, 0), rule('deal.label_removed', SHORT, 0)],
  },
  {
    name: 'two labels after each other',
    steps: [start(), settled(changed({ label_ids: [1] })), changed({ label_ids: [1, 2] })],
    rules: [rule('deal.label_added', SHORT, 1), rule('deal.label_added', 0, 2)],
  },
  {
    name: 'a value in two steps',
    steps: [start(), settled(changed({ value: 200 })), changed({ value: 300 })],
    rules: [
      rule('deal.value_changed', SHORT, 1),
      rule('deal.value_changed', SHORT, 1, { filters: { conditions: { field: 'value', op: 'increasedBy', value: 150 } } }),
      rule('deal.value_changed', 0, 0, { filters: { conditions: { field: 'value', op: 'increasedBy', value: 150 } } }),
    ],
  },
  {
    name: 'a value and back',
    steps: [start(), settled(changed({ value: 200 })), changed({ value: 100 })],
    rules: [rule('deal.value_changed', SHORT, 0), rule('deal.value_changed', 0, 2)],
  },
  {
    name: 'an activity ticked and unticked',
    steps: [
      created({}, { entity: 'activity', ...old }),
      changed({ done: true }, { entity: 'activity', ...LATER }),
      changed({ done: false }, { entity: 'activity' }),
    ],
    rules: [rule('activity.completed', SHORT, 0), rule('activity.completed', 0, 1)],
  },
  {
    name: 'an activity logged as done',
    steps: [created({ done: true }, { entity: 'activity' })],
    rules: [rule('activity.completed', SHORT, 1), rule('activity.created', SHORT, 1)],
  },
];

const PLACES_AND_BIRTHS: readonly History[] = [
  {
    name: 'another pipeline and stage',
    steps: [start(), settled(changed(P2))],
    rules: [rule('deal.pipeline_changed', SHORT, 1), stage(SHORT, 0, {}, { reason: /listens to/ })],
  },
  {
    name: 'another pipeline and back',
    steps: [start(), settled(changed(P2)), changed({ pipeline_id: '%P1', stage_id: A })],
    rules: [rule('deal.pipeline_changed', SHORT, 0), stage(SHORT, 0)],
  },
  {
    name: 'another pipeline and back into another stage',
    steps: [start(), settled(changed(P2)), changed({ pipeline_id: '%P1', stage_id: B })],
    rules: [rule('deal.pipeline_changed', SHORT, 0), stage(SHORT, 1, { fromStageIds: [A], stageIds: [B] })],
  },
  {
    name: 'a stage and then another pipeline',
    steps: [start(), settled(toB), changed(P2)],
    rules: [rule('deal.pipeline_changed', SHORT, 1), stage(SHORT, 0)],
  },
  {
    name: 'created as won',
    steps: [created({ status: 'won' })],
    rules: [
      rule('deal.created', 0, 1),
      rule('deal.won', 0, 1),
      rule('deal.created', SHORT, 1),
      rule('deal.won', SHORT, 1),
      rule('deal.lost', 0, 0),
    ],
  },
  {
    name: 'created as lost',
    steps: [created({ status: 'lost' })],
    rules: [rule('deal.created', 0, 1), rule('deal.lost', 0, 1), rule('deal.lost', SHORT, 1)],
  },
  {
    name: 'created as won and lost at once',
    steps: [created({ status: 'won' }), changed({ status: 'lost' })],
    rules: [rule('deal.won', LONG, 0), rule('deal.lost', LONG, 1), rule('deal.created', LONG, 1)],
  },
];

const TWICE_AND_LATE: readonly History[] = [
  {
    name: 'a retry',
    steps: [start(), won, repeated({ attempt: 2 })],
    rules: [rule('deal.won', 0, 1, { reason: /^Matched/ }), rule('deal.won', SHORT, 1)],
  },
  {
    name: 'the same under another id',
    steps: [start(), won, repeated({ id: '3f6d1f8e-7a51-4a4c-9a92-000000000001' })],
    rules: [rule('deal.won', 0, 1, { reason: /older|repeats/ }), rule('deal.won', SHORT, 1)],
  },
  {
    name: 'an older event',
    steps: [start(), settled(toB), changed({ stage_id: C }, { seconds: -60, previous: { stage_id: A } })],
    rules: [stage(0, 1, {}, { reason: /older/ }), stage(SHORT, 1, { stageIds: [B] })],
  },
  {
    name: 'an older win, and then an edit',
    steps: [
      start(),
      settled(toB),
      changed({ status: 'won' }, { seconds: -60 }),
      changed({ status: 'open', title_suffix: 1 }, { previous: { title_suffix: 0 } }),
    ],
    rules: [rule('deal.won', 0, 0), rule('deal.won', SHORT, 0)],
  },
  {
    name: 'an older deletion',
    steps: [start(), settled(toB), deleted({ seconds: -60 })],
    rules: [rule('deal.deleted', 0, 0, { reason: /older/ })],
  },
];

const DIFFS: readonly History[] = [
  {
    name: 'an option with equal ids on both sides',
    steps: [start(option(17)), settled(changed(option(17)))],
    rules: [
      rule('deal.field_changed', 0, 1, { filters: { fields: [OPTION] } }),
      rule('deal.field_changed', SHORT, 1, { filters: { fields: [OPTION] } }),
      rule('deal.field_changed', 0, 1, { filters: { fields: [OPTION], conditions: { field: OPTION, op: 'changed' } } }),
      rule('deal.field_changed', 0, 0, { filters: { fields: ['probability'] }, reason: /Probability did not change/ }),
    ],
  },
  {
    name: 'an option from nothing',
    steps: [start(option(null)), settled(changed(option(17)))],
    rules: [
      rule('deal.field_changed', 0, 1, { filters: { fields: [OPTION] } }),
      rule('deal.field_changed', SHORT, 1, {
        filters: { fields: [OPTION], conditions: { field: OPTION, op: 'changedFrom', value: null } },
      }),
    ],
  },
  {
    name: 'an option and back',
    steps: [start(option(16)), settled(changed(option(17))), changed(option(16))],
    rules: [rule('deal.field_changed', 0, 2, { filters: { fields: [OPTION] } })],
  },
  {
    name: 'old values of null',
    steps: [start({ value: null }), settled(changed({ value: 50, expected_close_date: '2026-12-24', lost_reason: 'Later' }))],
    rules: [
      rule('deal.value_changed', SHORT, 1, { filters: { kinds: ['set'] } }),
      rule('deal.close_date_changed', SHORT, 1, { filters: { kinds: ['set'] } }),
      rule('deal.field_changed', SHORT, 1, { filters: { fields: ['lost_reason'] } }),
    ],
  },
  {
    name: 'new values of null',
    steps: [start({ expected_close_date: '2026-12-24' }), settled(changed({ value: null, expected_close_date: null }))],
    rules: [
      rule('deal.value_changed', 0, 1, { filters: { kinds: ['cleared'] } }),
      rule('deal.close_date_changed', 0, 1, { filters: { kinds: ['cleared'] } }),
    ],
  },
  {
    name: 'no old values at all',
    steps: [start(), settled(changed({ stage_id: B, status: 'won' }, { previous: null }))],
    rules: [stage(0, 0, {}, { reason: /./ }), rule('deal.won', 0, 0, { reason: /./ })],
  },
  {
    name: 'old values that equal the new ones',
    steps: [start(), settled(changed({ stage_id: A, status: 'open' }))],
    rules: [stage(0, 0), rule('deal.reopened', 0, 0)],
  },
];

const MONEY: readonly History[] = [
  {
    name: 'a foreign value',
    steps: [start({ value: 250, currency: 'USD' }), settled(won)],
    rules: [
      rule('deal.won', 0, 1, { filters: { minValue: 125 } }),
      rule('deal.won', 0, 0, { filters: { minValue: 126 }, reason: /250 USD is 125 EUR.*126 EUR/ }),
      rule('deal.won', 0, 1, { filters: { minValue: 250, currency: 'USD' } }),
      rule('deal.won', 0, 0, { filters: { minValue: 1, currency: 'XTS' }, reason: /rate/ }),
    ],
  },
  {
    name: 'a value that rises in the window',
    steps: [start({ value: 50 }), settled(won), changed({ value: 150 })],
    rules: [rule('deal.won', SHORT, 1, { filters: { minValue: 100 } }), rule('deal.won', 0, 0, { filters: { minValue: 100 } })],
  },
  {
    name: 'a currency that changes in the window',
    steps: [start(), settled(won), changed({ currency: 'USD' })],
    rules: [
      rule('deal.won', SHORT, 0, { filters: { minValue: 100 }, reason: /100 USD is 50 EUR/ }),
      rule('deal.won', 0, 1, { filters: { minValue: 100 } }),
    ],
  },
  {
    name: 'a value over the threshold, and further',
    steps: [start({ value: 50 }), settled(changed({ value: 150 })), changed({ value: 200 }, LATER)],
    rules: [
      rule('deal.value_changed', SHORT, 1, {
        filters: { minValue: 100, crossing: true },
        reason: /did not cross that threshold/,
      }),
      rule('deal.value_changed', SHORT, 2, { filters: { minValue: 100 } }),
    ],
  },
];

const ROUTING: readonly History[] = [
  {
    name: 'a rule that ends the matter',
    steps: [start(), settled(won)],
    rules: [
      rule('deal.won', 0, 1, { stopAfter: true, space: 'wins' }),
      rule('deal.won', 0, 0, { space: 'wins', reason: /already told by rule/ }),
      rule('deal.won', 0, 1, { space: 'others' }),
    ],
  },
  {
    name: 'a rule that ends the matter and does not match',
    steps: [start(), settled(won)],
    rules: [
      rule('deal.won', SHORT, 0, { stopAfter: true, space: 'wins', filters: { minValue: 500 } }),
      rule('deal.won', SHORT, 1, { space: 'wins' }),
    ],
  },
  {
    name: 'a rule that ends the matter until the value falls',
    steps: [start(), settled(won), changed({ value: 10 })],
    rules: [
      rule('deal.won', SHORT, 0, { stopAfter: true, space: 'wins', filters: { minValue: 50 } }),
      rule('deal.won', SHORT, 1, { space: 'wins' }),
    ],
  },
  {
    name: 'a rule that ends the matter once the value has risen',
    steps: [start(), settled(won), changed({ value: 1000 })],
    rules: [
      rule('deal.won', SHORT, 1, { stopAfter: true, space: 'wins', filters: { minValue: 500 } }),
      rule('deal.won', SHORT, 0, { space: 'wins' }),
    ],
  },
];

const mergeHalves = (secondsApart: number): readonly [Step, Step] => [
  deleted({ on: 'swallowed', meta: { merged_to_id: '@one', correlation_id: '#' } }),
  changed(
    { probability: 5, status: 'won' },
    { seconds: secondsApart, meta: { merged_from_id: '@swallowed', correlation_id: '#' } },
  ),
];
const MERGED = [0, SHORT].flatMap((settleMs) => [
  rule('deal.merged', settleMs, 1),
  rule('deal.deleted', settleMs, 0),
  rule('deal.won', settleMs, 0),
]);
const bothKnown = [start(), created({}, { on: 'swallowed', ...old })];

const MERGES: readonly History[] = [
  { name: 'a merge', steps: [...bothKnown, settled(mergeHalves(0)[0]), mergeHalves(0)[1]], rules: MERGED },
  { name: 'a merge, the survivor first', steps: [...bothKnown, settled(mergeHalves(0)[1]), mergeHalves(0)[0]], rules: MERGED },
  {
    name: 'a merge, the halves apart',
    steps: [...bothKnown, settled(mergeHalves(-30)[1]), { ...mergeHalves(0)[0], ...LATER }],
    rules: MERGED,
  },
];

const lead = { entity: 'lead', on: 'lead' } as const;
const conversions: readonly History[] = [
  { by: 'correlation', named: {}, meta: { correlation_id: '#' } },
  { by: 'source_lead_id', named: { source_lead_id: '@lead' }, meta: {} },
  { by: 'origin_id', named: { origin_id: '@lead' }, meta: {} },
].flatMap(({ by, named, meta }) =>
  (['deleted', 'archived'] as const).flatMap((end) =>
    (by === 'correlation' ? [0, 30] : [30]).flatMap((secondsApart) =>
      (['the lead first', 'the deal first'] as const).map((order): History => {
        const seconds = (isFirst: boolean): number => (isFirst ? -secondsApart : 0);
        const isLeadFirst = order === 'the lead first';
        const options = { ...lead, meta, seconds: seconds(isLeadFirst) };
        const goes = end === 'deleted' ? deleted(options) : changed({ is_archived: true }, options);
        const comes = created(named, { meta, seconds: seconds(!isLeadFirst) });
        const halves = isLeadFirst ? [settled(goes), comes] : [settled(comes), goes];
        return {
          name: `a lead ${end} and a deal by ${by}, ${secondsApart} s apart, ${order}`,
          steps: [created({}, { ...lead, ...old }), ...halves],
          rules: [
            rule('lead.converted', LONG, 1),
            rule('deal.created', LONG, 0),
            rule('lead.archived', LONG, 0),
            rule('lead.deleted', LONG, 0),
            rule('lead.converted', 0, 1),
          ],
        };
      }),
    ),
  ),
);
const CONVERSIONS: readonly History[] = [
  ...conversions,
  {
    name: 'a lead and a deal of one correlation, 90 s apart',
    steps: [
      created({}, { ...lead, ...old }),
      changed({ is_archived: true }, { ...lead, seconds: -90, meta: { correlation_id: '#' }, ...LATER }),
      created({}, { meta: { correlation_id: '#' } }),
    ],
    rules: [rule('lead.converted', SHORT, 0), rule('deal.created', SHORT, 1), rule('lead.archived', SHORT, 1)],
  },
  {
    name: 'a lead converted into a won deal',
    steps: [created({}, { ...lead, ...old }), settled(deleted(lead)), created({ status: 'won', source_lead_id: '@lead' })],
    rules: [rule('lead.converted', SHORT, 1), rule('deal.won', SHORT, 1), rule('deal.created', SHORT, 0)],
  },
  {
    name: 'a converted deal that is won later',
    steps: [created({}, { ...lead, ...old }), settled(deleted(lead)), created({ source_lead_id: '@lead' }), { ...won, ...LATER }],
    rules: [
      rule('lead.converted', SHORT, 1),
      rule('deal.won', SHORT, 1),
      rule('deal.created', SHORT, 0),
      rule('lead.converted', LONG, 1),
    ],
  },
];

export const HISTORIES: readonly History[] = [
  ...[...WINDOWS, ...PLACES_AND_BIRTHS, ...TWICE_AND_LATE, ...DIFFS, ...MONEY, ...ROUTING, ...MERGES, ...CONVERSIONS],
];
