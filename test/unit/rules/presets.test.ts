/** Every preset as the rule that it becomes, run through the router's engine: what it tells, and the nuisances that it must not tell. */

import { z } from 'zod';
import { ruleFiltersSchema } from '../../../src/core/rule';
import type { RecordState } from '../../../src/core/record';
import { presetsFor, type Preset } from '../../../src/rules/presets';
import { conditionTreeSchema } from '../../../src/core/condition';
import type { StageOrder } from '../../../src/rules/kinds-of-transition';
import { aDealWebhook, aRule, aWebhook, at, type SentWebhook } from '../../support/builders';
import { filledPreset } from '../../support/filled-preset';
import { makeMemoryLedger } from '../../support/memory-ledger';

const presets = presetsFor('EUR');
const LEAD = 'b1810230-6c0d-41ed-9826-a53d0eb706a5';
const CORRELATION = '59713ec6-03bf-42ad-a044-5f0403c1e5bb';
const FIELD = '3e9bb7da4983ebebda9e19851cc6828af134e3c8';
const MINUTE = 60_000;

function presetOf(key: string): Preset {
  const found = presets.find((preset) => preset.key === key);
  if (found === undefined) throw new Error(`there is no preset ${key}`);
  return found;
}

/** Stages 11 to 14 of the first pipeline in their order. */
const STAGES: StageOrder = new Map([11, 12, 13, 14].map((id) => [id, { pipelineId: 1, order: id - 10 }]));

/** Event types told, each event routed in a batch of its own. */
async function told(
  key: string,
  webhooks: readonly SentWebhook[],
  answers: Readonly<Record<string, unknown>> = {},
): Promise<string[]> {
  const { eventType, settleMs, filters } = filledPreset(presetOf(key), answers);
  const ledger = makeMemoryLedger({
    stages: STAGES,
    rules: [{ ...aRule({ eventType, settleMs }), filters: ruleFiltersSchema.parse(filters) }],
  });
  for (const webhook of webhooks) await ledger.route(webhook);
  return ledger.told().map(({ type }) => type);
}

const change = (previous: RecordState, data: RecordState, atMs = 0, meta = {}) => aDealWebhook({ atMs, previous, data, meta });
const create = (data: RecordState = {}, atMs = 0) => aDealWebhook({ atMs, action: 'create', data });
const won = { status: 'won', won_time: at(0).toISOString() };
const activity = (data: RecordState, previous: RecordState | null = null, atMs = 0) =>
  aWebhook({
    entity: 'activity',
    id: 5,
    atMs,
    previous,
    data: { id: 5, subject: 'Demo', type: 'meeting', done: false, private: false, ...data },
  });
const lead = (data: RecordState = {}, atMs = 0) =>
  aWebhook({ entity: 'lead', id: LEAD, atMs, data: { id: LEAD, title: 'Lead', is_archived: false, ...data } });
const note = (data: RecordState) =>
  aWebhook({ entity: 'note', id: 3, data: { id: 3, content: '<p>Called</p>', user_id: 1, ...data } });

type Case = readonly [key: string, when: string, webhooks: readonly SentWebhook[], isTold: boolean];

const cases: readonly Case[] = [
  ['deal-won', 'a deal is won', [change({ status: 'open', won_time: null }, won)], true],
  ['deal-won', 'a deal is created as won', [create(won)], true],
  ['deal-won', 'a lost deal is won directly', [change({ status: 'lost' }, won)], true],
  ['deal-won', 'a won deal has no value', [change({ status: 'open' }, { ...won, value: null })], true],
  ['deal-won', 'a won deal is edited', [change({ title: 'Old' }, won)], false],
  [
    'deal-won',
    'the win is taken back at once',
    [change({ status: 'open' }, won), change({ status: 'won' }, { status: 'open' }, 1000)],
    false,
  ],
  ['deal-won', 'an import wins a deal of last year', [create({ status: 'won', won_time: '2025-11-20 10:00:00' })], false],
  ['deal-won', 'an archived deal is won', [change({ status: 'open' }, { ...won, is_archived: true })], false],
  ['deal-won', 'it merges into a won deal', [change({ title: 'Old' }, won, 0, { merged_from_id: '77' })], false],
  ['big-deal-won', 'a big deal is won', [change({ status: 'open' }, { ...won, value: 10_000 })], true],
  ['big-deal-won', 'a small deal is won', [change({ status: 'open' }, { ...won, value: 9999 })], false],
  [
    'big-deal-won',
    'the value is set right after winning',
    [change({ status: 'open' }, { ...won, value: 0 }), change({ value: 0 }, { ...won, value: 20_000 }, 20_000)],
    true,
  ],
  ['big-deal-won', 'a big won deal grows', [change({ value: 10_000 }, { ...won, value: 90_000 })], false],
  ['big-after-win', 'the value of a won deal is set later', [change({ value: 0 }, { ...won, value: 20_000 })], true],
  ['big-after-win', 'a big won deal grows', [change({ value: 10_000 }, { ...won, value: 20_000 })], false],
  ['big-after-win', 'a won deal grows and stays small', [change({ value: 0 }, { ...won, value: 9999 })], false],
  ['big-after-win', 'an open deal becomes big', [change({ value: 0 }, { value: 20_000 })], false],
  [
    'big-after-win',
    'the value is set right after winning, which the win tells',
    [change({ status: 'open' }, { ...won, value: 0 }), change({ value: 0 }, { ...won, value: 20_000 }, 20_000)],
    false,
  ],
  ['deal-became-big', 'an open deal crosses the amount', [change({ value: 9999 }, { value: 10_000 })], true],
  ['deal-became-big', 'a big deal grows', [change({ value: 10_000 }, { value: 90_000 })], false],
  ['deal-became-big', 'a big deal becomes small', [change({ value: 10_000 }, { value: 5 })], false],
  ['deal-became-big', 'a won deal crosses the amount', [change({ value: 5 }, { ...won, value: 10_000 })], false],
  [
    'deal-became-big',
    'it crosses and comes back',
    [change({ value: 5 }, { value: 10_000 }), change({ value: 10_000 }, { value: 5 }, 2000)],
    false,
  ],
  ['stage-back', 'a deal falls back', [change({ stage_id: 13 }, { stage_id: 12 })], true],
  ['stage-back', 'a deal moves forward', [change({ stage_id: 12 }, { stage_id: 13 })], false],
  ['stage-back', 'a won deal falls back', [change({ stage_id: 13 }, { ...won, stage_id: 12 })], false],
  [
    'stage-back',
    'it falls back and is put right',
    [change({ stage_id: 13 }, { stage_id: 12 }), change({ stage_id: 12 }, { stage_id: 13 }, 9000)],
    false,
  ],
  [
    'stage-back',
    'it goes into an earlier place of another pipeline',
    [change({ stage_id: 13, pipeline_id: 1 }, { stage_id: 21, pipeline_id: 2 })],
    false,
  ],
  ['stage-skipped', 'a stage is left out', [change({ stage_id: 11 }, { stage_id: 13 })], true],
  ['stage-skipped', 'a deal goes to the next stage', [change({ stage_id: 11 }, { stage_id: 12 })], false],
  ['stage-skipped', 'a deal falls back by two', [change({ stage_id: 13 }, { stage_id: 11 })], false],
  ['deal-lost', 'a deal is lost', [change({ status: 'open' }, { status: 'lost' })], true],
  ['deal-lost', 'a won deal is lost directly', [change({ status: 'won' }, { status: 'lost' })], true],
  ['deal-lost', 'a deal is deleted', [aWebhook({ action: 'delete', previous: { id: 8 } })], false],
  [
    'deal-lost',
    'deals are cleaned up in bulk',
    [change({ status: 'open' }, { status: 'lost' }, 0, { is_bulk_edit: true })],
    false,
  ],
  ['big-deal-lost', 'a big deal is lost', [change({ status: 'open' }, { status: 'lost', value: 50_000 })], true],
  ['big-deal-lost', 'a small deal is lost', [change({ status: 'open' }, { status: 'lost', value: 5 })], false],
  ['deal-reopened', 'a lost deal is open again', [change({ status: 'lost' }, { status: 'open' })], true],
  [
    'deal-reopened',
    'it was a slip',
    [change({ status: 'won' }, { status: 'open' }), change({ status: 'open' }, won, 20_000)],
    false,
  ],
  ['deal-reopened', 'a deal is created open', [create()], false],
  ['new-deal', 'a deal is created', [create()], true],
  ['new-deal', 'a deal is created as won', [create(won)], false],
  ['new-deal', 'a deal is edited', [change({ title: 'Old' }, {})], false],
  ['new-deal', 'a lead is converted', [aDealWebhook({ action: 'create', data: { source_lead_id: LEAD } })], false],
  ['key-stage', 'a deal enters the stage', [change({ stage_id: 11 }, { stage_id: 12 })], true],
  ['key-stage', 'a deal is edited inside the stage', [change({ title: 'Old' }, { stage_id: 12 })], false],
  ['key-stage', 'a deal leaves the stage', [change({ stage_id: 12 }, { stage_id: 11 })], false],
  ['key-stage', 'a deal moves between key stages', [change({ stage_id: 13 }, { stage_id: 12 })], false],
  ['key-stage', 'a won deal is moved', [change({ stage_id: 11 }, { ...won, stage_id: 12 })], false],
  [
    'key-stage',
    'it goes there and back',
    [change({ stage_id: 11 }, { stage_id: 12 }), change({ stage_id: 12 }, { stage_id: 11 }, 1000)],
    false,
  ],
  ['stage-changed', 'a stage changes', [change({ stage_id: 11 }, { stage_id: 12 })], true],
  [
    'stage-changed',
    'the pipeline changes with it',
    [change({ stage_id: 11, pipeline_id: 1 }, { stage_id: 21, pipeline_id: 2 })],
    false,
  ],
  [
    'stage-changed',
    'it goes from A to B to A',
    [change({ stage_id: 11 }, { stage_id: 12 }), change({ stage_id: 12 }, { stage_id: 11 }, 5000)],
    false,
  ],
  ['moved-pipeline', 'the pipeline changes', [change({ stage_id: 11, pipeline_id: 1 }, { stage_id: 21, pipeline_id: 2 })], true],
  ['moved-pipeline', 'only the stage changes', [change({ stage_id: 11 }, { stage_id: 12 })], false],
  ['deal-assigned', 'the owner changes', [change({ owner_id: 1 }, { owner_id: 2 })], true],
  [
    'deal-assigned',
    'a round robin comes back to the first',
    [change({ owner_id: 1 }, { owner_id: 2 }), change({ owner_id: 2 }, { owner_id: 1 }, 3000)],
    false,
  ],
  ['deal-assigned', 'a user is deactivated', [change({ owner_id: 1 }, { owner_id: 2 }, 0, { is_bulk_edit: true })], false],
  ['deal-assigned', 'the owner of a won deal changes', [change({ owner_id: 1 }, { ...won, owner_id: 2 })], false],
  ['value-changed', 'the value doubles', [change({ value: 10_000 }, { value: 20_000 })], true],
  ['value-changed', 'the value halves', [change({ value: 20_000 }, { value: 10_000 })], true],
  ['value-changed', 'a small deal doubles', [change({ value: 100 }, { value: 200 })], false],
  ['value-changed', 'a big deal grows a little', [change({ value: 100_000 }, { value: 110_000 })], false],
  ['value-changed', 'the value is set first', [change({ value: null }, { value: 20_000 })], false],
  [
    'value-changed',
    'products are recomputed and it comes out the same',
    [change({ value: 10_000 }, { value: 0 }), change({ value: 0 }, { value: 10_000 }, 2000)],
    false,
  ],
  [
    'close-date-slipped',
    'it slips a week',
    [change({ expected_close_date: '2026-12-01' }, { expected_close_date: '2026-12-08' })],
    true,
  ],
  [
    'close-date-slipped',
    'it slips six days',
    [change({ expected_close_date: '2026-12-01' }, { expected_close_date: '2026-12-07' })],
    false,
  ],
  [
    'close-date-slipped',
    'it is set first',
    [change({ expected_close_date: null }, { expected_close_date: '2026-12-08' })],
    false,
  ],
  ['close-date-slipped', 'it is cleared', [change({ expected_close_date: '2026-12-01' }, { expected_close_date: null })], false],
  [
    'close-date-slipped',
    'it is pulled in',
    [change({ expected_close_date: '2026-12-20' }, { expected_close_date: '2026-12-01' })],
    false,
  ],
  [
    'close-date-slipped',
    'it slips over the end of summer time',
    [change({ expected_close_date: '2027-03-27' }, { expected_close_date: '2027-04-03' })],
    true,
  ],
  [
    'close-date-pulled-in',
    'it is pulled in',
    [change({ expected_close_date: '2026-12-20' }, { expected_close_date: '2026-12-01' })],
    true,
  ],
  [
    'close-date-pulled-in',
    'it slips',
    [change({ expected_close_date: '2026-12-01' }, { expected_close_date: '2026-12-20' })],
    false,
  ],
  ['label-added', 'the label is added', [change({ label_ids: [1] }, { label_ids: [1, 24] })], true],
  ['label-added', 'another label is added', [change({ label_ids: [24] }, { label_ids: [24, 1] })], false],
  ['label-added', 'the labels are reordered', [change({ label_ids: [1, 24] }, { label_ids: [24, 1] })], false],
  ['label-added', 'the label is removed', [change({ label_ids: [24] }, { label_ids: [] })], false],
  [
    'field-became',
    'the field takes the value',
    [change({ custom_fields: { [FIELD]: { type: 'enum', id: 1 } } }, { custom_fields: { [FIELD]: { type: 'enum', id: 31 } } })],
    true,
  ],
  [
    'field-became',
    'the field takes another value',
    [change({ custom_fields: { [FIELD]: null } }, { custom_fields: { [FIELD]: { type: 'enum', id: 32 } } })],
    false,
  ],
  [
    'field-became',
    'another field changes',
    [change({ title: 'Old' }, { custom_fields: { [FIELD]: { type: 'enum', id: 31 } } })],
    false,
  ],
  ['deal-deleted', 'a deal is deleted', [aWebhook({ action: 'delete', previous: { id: 8 } })], true],
  [
    'deal-deleted',
    'a deal is merged away',
    [aWebhook({ action: 'delete', previous: { id: 8 }, meta: { merged_to_id: '77' } })],
    false,
  ],
  ['new-lead', 'a lead comes in', [lead()], true],
  ['new-lead', 'an archived lead comes in', [lead({ is_archived: true })], false],
  [
    'lead-converted',
    'a lead becomes a deal',
    [aDealWebhook({ action: 'create', data: { source_lead_id: LEAD }, meta: { correlation_id: CORRELATION } })],
    true,
  ],
  ['lead-converted', 'a deal is created without a lead', [create()], false],
  ['meeting-booked', 'a meeting is planned', [activity({})], true],
  ['meeting-booked', 'a call is planned', [activity({ type: 'call' })], false],
  ['meeting-booked', 'a private meeting is planned', [activity({ private: true })], false],
  ['meeting-booked', 'a meeting is logged as done', [activity({ done: true })], false],
  ['meeting-put-off', 'a meeting moves to a later day', [activity({ due_date: '2026-12-02' }, { due_date: '2026-12-01' })], true],
  [
    'meeting-put-off',
    'a meeting moves to an earlier day',
    [activity({ due_date: '2026-12-01' }, { due_date: '2026-12-02' })],
    false,
  ],
  ['meeting-put-off', 'a meeting gets its first day', [activity({ due_date: '2026-12-01' }, { due_date: null })], false],
  [
    'meeting-put-off',
    'a done meeting is dated anew',
    [activity({ done: true, due_date: '2026-12-02' }, { due_date: '2026-12-01' })],
    false,
  ],
  ['activity-done', 'a meeting is done', [activity({ done: true }, { done: false })], true],
  [
    'activity-done',
    'it is ticked and unticked',
    [activity({ done: true }, { done: false }), activity({ done: false }, { done: true }, 3000)],
    false,
  ],
  ['activity-done', 'a done meeting is edited', [activity({ done: true }, { subject: 'Old' })], false],
  ['note-added', 'a note on a deal is added', [note({ deal_id: 8 })], true],
  ['note-added', 'a note on a person is added', [note({ deal_id: null, person_id: 4 })], false],
];

const ANSWERS: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  'key-stage': { 'filters.stageIds': [12, 13] },
  'label-added': { 'filters.conditions.all.0.value': [24] },
  'field-became': { 'filters.fields.0': FIELD, 'filters.conditions.all.0.value': 31 },
};

test.each(cases)('%s: when %s, then it is told or not: %#', async (key, _when, webhooks, isTold) => {
  const types = await told(key, webhooks, ANSWERS[key]);

  expect(types).toEqual(isTold ? [presetOf(key).eventType] : []);
});

test('when a deal is won, its stage and value change at once, then the win is one message', async () => {
  const types = await told('deal-won', [change({ status: 'open', stage_id: 11, value: 1 }, { ...won, stage_id: 12, value: 9 })]);

  expect(types).toEqual(['deal.won']);
});

test('when a deal is won, reopened later and won again, then both wins are told', async () => {
  const again = { ...won, first_won_time: at(0).toISOString(), won_time: at(10 * MINUTE).toISOString() };

  const types = await told('deal-won', [
    change({ status: 'open' }, won),
    change({ status: 'won' }, { status: 'open' }, 5 * MINUTE),
    change({ status: 'open' }, again, 10 * MINUTE),
  ]);

  expect(types).toEqual(['deal.won', 'deal.won']);
});

test('when all presets are looked at, then each has its cases, a name of its own and questions that point into it', () => {
  const keys = presets.map(({ key }) => key);

  expect(new Set(keys).size).toBe(keys.length);
  expect(new Set(cases.map(([key]) => key))).toEqual(new Set(keys));
  for (const preset of presets) {
    const { filters } = filledPreset(preset, ANSWERS[preset.key]);
    expect(ruleFiltersSchema.safeParse(filters)).toMatchObject({ success: true });
    expect(z.object({ conditions: conditionTreeSchema.optional() }).safeParse(filters)).toMatchObject({ success: true });
    for (const { sameAs } of preset.asks) if (sameAs !== undefined) expect(preset.asks.map(({ path }) => path)).toContain(sameAs);
  }
});

test('when the company reckons in another currency, then amounts are in that', () => {
  const big = presetsFor('JPY').find(({ key }) => key === 'big-deal-won');

  expect(big?.filters).toMatchObject({ minValue: 10_000, currency: 'JPY' });
});
