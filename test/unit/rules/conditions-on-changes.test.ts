/** Conditions on the way of a value: changed, to, from, by how much; alone and over a settle window. */

import { conditionTreeSchema } from '../../../src/core/condition';
import type { ExchangeRates } from '../../../src/core/exchange-rates';
import type { RecordState } from '../../../src/core/record';
import { evaluateConditions } from '../../../src/rules/evaluate-conditions';
import { aDealWebhook, aRule, dealState } from '../../support/builders';
import { makeMemoryLedger } from '../../support/memory-ledger';

const KEY = 'a'.repeat(40);
const RATES: ExchangeRates = { base: 'EUR', perUnit: new Map([['USD', { rate: 0.5, asOf: new Date('2026-11-23') }]]) };

function holds(previous: RecordState | null, state: RecordState, field: string, op: string, value?: unknown): boolean {
  const tree = conditionTreeSchema.parse({ field, op, ...(value === undefined ? {} : { value }) });
  const setting = { event: {}, rates: RATES, timeZone: 'Europe/Berlin', now: new Date('2026-11-23T12:00:00Z') };
  return evaluateConditions(tree, { ...setting, previous, state: dealState(state) }).holds;
}

const custom = (value: unknown): RecordState => ({ custom_fields: { [KEY]: value } });
const option = (id: number) => custom({ type: 'enum', id });
const options = (...ids: readonly number[]) => custom({ type: 'set', values: ids.map((id) => ({ id })) });
const money = (value: number, currency: string) => custom({ type: 'monetary', value, currency });
const close = (expected_close_date: string | null) => ({ expected_close_date });

test.each<[string, RecordState | null, RecordState, string, string, unknown, boolean]>([
  ['a stage changed', { stage_id: 1 }, { stage_id: 2 }, 'stage_id', 'changed', undefined, true],
  ['it did not', { title: 'x' }, { stage_id: 2 }, 'stage_id', 'changed', undefined, false],
  ['a record was created', null, { stage_id: 2 }, 'stage_id', 'changed', undefined, false],
  ['a created record is there already', null, { stage_id: 2 }, 'stage_id', 'changedTo', 2, false],
  ['a standard field is only named', { stage_id: 2 }, { stage_id: 2 }, 'stage_id', 'changed', undefined, false],
  ['a null became a value', { lost_reason: null }, { lost_reason: 'Price' }, 'lost_reason', 'changed', true, true],
  ['a value became null', { lost_reason: 'Price' }, { lost_reason: null }, 'lost_reason', 'changedTo', null, true],
  ['a field was set first', { lost_reason: null }, { lost_reason: 'Price' }, 'lost_reason', 'changedFrom', null, true],
  ['an option stayed on both sides', option(17), option(17), KEY, 'changed', undefined, true],
  ['an option that stayed is asked for', option(17), option(17), KEY, 'changedTo', { id: 17, name: 'Hot' }, true],
  ['an option came from null', custom(null), option(17), KEY, 'changedFrom', null, true],
  ['another custom field changed', { custom_fields: { ['b'.repeat(40)]: null } }, option(17), KEY, 'changed', undefined, false],
  ['it came to one of several', { stage_id: 1 }, { stage_id: 2 }, 'stage_id', 'changedTo', [3, 2], true],
  ['it came to another', { stage_id: 1 }, { stage_id: 2 }, 'stage_id', 'changedTo', 3, false],
  ['it came from one', { stage_id: '1' }, { stage_id: 2 }, 'stage_id', 'changedFrom', [{ id: 1, name: 'New' }], true],
  ['it came from another', { stage_id: 1 }, { stage_id: 2 }, 'stage_id', 'changedFrom', 2, false],
  ['a label was added', { label_ids: [1] }, { label_ids: [1, 2] }, 'label_ids', 'changedTo', 2, true],
  ['another label was added', { label_ids: [1] }, { label_ids: [1, 2] }, 'label_ids', 'changedTo', 1, false],
  ['a label was removed', { label_ids: [1, 2] }, { label_ids: [1] }, 'label_ids', 'changedFrom', 2, true],
  ['the last label was removed', { label_ids: [2] }, { label_ids: [] }, 'label_ids', 'changedFrom', 2, true],
  ['the first label was added', { label_ids: [] }, { label_ids: [2] }, 'label_ids', 'changedTo', 2, true],
  ['labels came in another order', { label_ids: [1, 2] }, { label_ids: [2, 1] }, 'label_ids', 'changed', undefined, false],
  ['an option of many was added', options(13), options(13, 14), KEY, 'changedTo', [14], true],
  ['the currency changed alone', { currency: 'EUR' }, { currency: 'USD' }, 'value', 'changed', undefined, true],
  ['the value rose enough', { value: 100 }, { value: 150 }, 'value', 'increasedBy', 50, true],
  ['the value rose too little', { value: 100 }, { value: 149.99 }, 'value', 'increasedBy', 50, false],
  ['the value fell', { value: 100 }, { value: 150 }, 'value', 'decreasedBy', 1, false],
  ['the value fell enough', { value: 150 }, { value: 100 }, 'value', 'decreasedBy', 50, true],
  ['a percentage rose', { value: 100 }, { value: 110 }, 'value', 'increasedBy', { percent: 10 }, true],
  ['a percentage rose too little', { value: 100 }, { value: 109 }, 'value', 'increasedBy', { percent: 10 }, false],
  ['a percentage fell, of the old value', { value: 100 }, { value: 50 }, 'value', 'decreasedBy', { percent: 50 }, true],
  ['half is not 51 %', { value: 100 }, { value: 50 }, 'value', 'decreasedBy', { percent: 51 }, false],
  ['fractions are exact', { value: 0.1 }, { value: 0.3 }, 'value', 'increasedBy', 0.2, true],
  ['it rose from nothing', { value: null }, { value: 60 }, 'value', 'increasedBy', 50, true],
  ['nothing has no percentage', { value: null }, { value: 60 }, 'value', 'increasedBy', { percent: 1 }, false],
  ['zero has no percentage', { value: 0 }, { value: 60 }, 'value', 'increasedBy', { percent: 1 }, false],
  ['it fell to nothing', { value: 60 }, { value: null }, 'value', 'decreasedBy', 50, true],
  ['another currency is worth more', { value: 100, currency: 'USD' }, { value: 100 }, 'value', 'increasedBy', 100, true],
  ['a step in another currency', { value: 100 }, { value: 150 }, 'value', 'increasedBy', { amount: 100, currency: 'USD' }, true],
  ['too small a step', { value: 100 }, { value: 149 }, 'value', 'increasedBy', { amount: 100, currency: 'USD' }, false],
  ['a step that lacks a rate', { value: 100 }, { value: 900 }, 'value', 'increasedBy', { amount: 1, currency: 'JPY' }, false],
  ['a value as text', { value: '100' }, { value: '150.5' }, 'value', 'increasedBy', 50, true],
  ['custom money', money(100, 'EUR'), money(400, 'USD'), KEY, 'increasedBy', { percent: 100 }, true],
  ['a number as text', { probability: '20' }, { probability: 50 }, 'probability', 'increasedBy', 30, true],
  ['a date slipped', close('2026-10-24'), close('2026-10-26'), 'expected_close_date', 'increasedBy', { days: 2 }, true],
  ['a date slipped by a number', close('2026-03-28'), close('2026-03-30'), 'expected_close_date', 'increasedBy', 2, true],
  ['a date slipped too little', close('2026-03-28'), close('2026-03-29'), 'expected_close_date', 'increasedBy', 2, false],
  ['a date was pulled in', close('2026-12-10'), close('2026-12-01'), 'expected_close_date', 'decreasedBy', { days: 9 }, true],
  ['a date was set', close(null), close('2026-12-01'), 'expected_close_date', 'increasedBy', { days: 1 }, false],
  ['a text did not rise', { title: 'a' }, { title: 'b' }, 'title', 'increasedBy', 1, false],
])('when %s, then conditions on the change know', (_name, previous, state, field, op, value, expected) => {
  expect(holds(previous, state, field, op, value)).toBe(expected);
});

describe('inside a settle window', () => {
  const edit = (atMs: number, previous: RecordState, data: RecordState, source = 'app') =>
    aDealWebhook({ atMs, previous, data, meta: { change_source: source } });
  const told = async (rule: Parameters<typeof aRule>[0], ...webhooks: readonly ReturnType<typeof edit>[]) => {
    const ledger = makeMemoryLedger({ rules: [aRule({ eventType: 'deal.field_changed', ...rule })] });
    for (const webhook of webhooks) await ledger.route(webhook);
    return ledger.told().length;
  };

  test('when a custom field goes A to B to C, then it changed from A to C', async () => {
    const edits = [edit(0, option(1), option(2)), edit(500, option(2), option(3))];
    const from = (op: string, value: number) => ({
      fields: [KEY],
      conditions: conditionTreeSchema.parse({ field: KEY, op, value }),
    });

    expect(await told(from('changedFrom', 1), ...edits)).toBe(1);
    expect(await told(from('changedTo', 3), ...edits)).toBe(1);
    expect(await told(from('changedFrom', 2), ...edits)).toBe(0);
    expect(await told(from('changedTo', 2), ...edits)).toBe(0);
  });

  test('when an option stayed on both sides before another edit, then it has still changed', async () => {
    const conditions = conditionTreeSchema.parse({ field: KEY, op: 'changed' });
    const state = { ...option(1), title: 'New' };

    expect(await told({ fields: [KEY], conditions }, edit(0, option(1), option(1)), edit(500, { title: 'Old' }, state))).toBe(1);
  });

  test('when an automation tidies up after a person, then the person did it', async () => {
    const conditions = conditionTreeSchema.parse({ field: 'change_source', op: 'isNot', value: 'api' });
    const [first, second] = [{ title: 'B' }, { title: 'B', value: 9 }];

    expect(
      await told({ fields: ['title'], conditions }, edit(0, { title: 'A' }, first), edit(500, { value: 8 }, second, 'api')),
    ).toBe(1);
    expect(await told({ fields: ['title'], conditions }, edit(0, { title: 'A' }, first, 'api'))).toBe(0);
  });
});
