/** Filters of a rule: what passes, what fails first, and which failure is the reason. */

import { NO_RATES } from '../../../src/core/exchange-rates';
import type { RecordState } from '../../../src/core/record';
import type { Transition } from '../../../src/core/transition';
import { indexRules, matchRule } from '../../../src/rules/match-rules';
import { aRule, at, dealState } from '../../support/builders';

const WON: Transition = { type: 'deal.won', changes: [{ field: 'status', from: 'open', to: 'won' }] };
const MOVED: Transition = { type: 'deal.stage_changed', changes: [{ field: 'stage_id', from: 10, to: 11 }] };

const SETTING = { previous: {}, event: {}, receivedAt: at(0), baseCurrency: 'EUR', rates: NO_RATES, timeZone: 'UTC' };

function matched(rule: ReturnType<typeof aRule>, state: RecordState = {}, transition = WON) {
  return matchRule(rule, { ...SETTING, transitions: [transition], state: dealState(state) });
}

describe('filters', () => {
  test.each<[string, Parameters<typeof aRule>[0], RecordState]>([
    ['there are none', {}, {}],
    ['every list is empty', { pipelineIds: [], stageIds: [], fromStageIds: [], ownerIds: [], fields: [] }, {}],
    ['the pipeline is one of them', { pipelineIds: [7, 1] }, {}],
    ['the pipeline came as text', { pipelineIds: [1] }, { pipeline_id: '1' }],
    ['the stage is one of them', { stageIds: [11] }, {}],
    ['the owner is one of them', { ownerIds: [1] }, {}],
    ['the owner came as text', { ownerIds: [1] }, { owner_id: '1' }],
    ['the value is exactly the minimum', { minValue: 100 }, {}],
    ['the value came as text', { minValue: 100 }, { value: '100.50' }],
    ['the minimum is 0 and the value too', { minValue: 0 }, { value: 0 }],
    ['the value has the currency of the rule', { minValue: 50, currency: 'USD' }, { currency: 'USD' }],
    ['the value has no currency', { minValue: 50 }, { currency: null }],
    ['the conditions are an empty tree', { conditions: { all: [] } }, {}],
  ])('when %s, then the rule matches', (_name, given, state) => {
    expect(matched(aRule(given), state)).toEqual({ matched: true, transition: WON });
  });

  test.each<[string, Parameters<typeof aRule>[0], RecordState, object]>([
    ['the pipeline is another', { pipelineIds: [2] }, {}, { code: 'pipeline', actual: 1 }],
    ['the pipeline is missing', { pipelineIds: [2] }, { pipeline_id: undefined }, { code: 'pipeline', actual: null }],
    ['the pipeline is no id', { pipelineIds: [2] }, { pipeline_id: { id: 2 } }, { code: 'pipeline', actual: null }],
    ['the stage is another', { stageIds: [2] }, {}, { code: 'stage', actual: 11 }],
    ['nothing was left', { fromStageIds: [2] }, {}, { code: 'fromStage', actual: null }],
    ['the owner is another', { ownerIds: [2] }, {}, { code: 'owner', actual: 1 }],
    ['the value is missing', { minValue: 1 }, { value: null }, { code: 'noValue' }],
    ['the value is too small', { minValue: 101 }, {}, { code: 'minValue', actual: { amount: 100, currency: 'EUR' } }],
    [
      'the value has another currency than the company',
      { minValue: 1 },
      { currency: 'USD' },
      { code: 'otherCurrency', actual: { amount: 100, currency: 'USD', wanted: 'EUR' } },
    ],
    [
      'the value has another currency than the rule',
      { minValue: 1, currency: 'JPY' },
      {},
      { code: 'otherCurrency', actual: { amount: 100, currency: 'EUR', wanted: 'JPY' } },
    ],
    ['several filters fail', { ownerIds: [2], pipelineIds: [2], minValue: 1000 }, {}, { code: 'pipeline', actual: 1 }],
  ])('when %s, then that is the reason', (_name, given, state, reason) => {
    expect(matched(aRule(given), state)).toEqual({ matched: false, ...reason });
  });

  test.each([
    ['the stage left is one of them', [10], true],
    ['the stage left is another', [11], false],
  ])('when %s, then a rule on moves matches: %s', (_name, fromStageIds, expected) => {
    const rule = aRule({ eventType: 'deal.stage_changed', fromStageIds });

    expect(matched(rule, {}, MOVED).matched).toBe(expected);
  });

  test('when a lead has its value as an object, then it is compared', () => {
    const rule = aRule({ eventType: 'lead.created', minValue: 400 });
    const state = { value: { amount: 500, currency: 'EUR' }, owner_id: 1 };
    const candidate = {
      ...SETTING,
      transitions: [{ type: 'lead.created' as const, changes: [] }],
      state,
    };

    expect(matchRule(rule, candidate).matched).toBe(true);
    expect(matchRule(aRule({ eventType: 'lead.created', minValue: 501 }), candidate)).toMatchObject({ code: 'minValue' });
  });

  test.each([
    [['title'], false],
    [['stage_id'], true],
    [['title', 'stage_id'], true],
  ])('when a rule names the fields %j and the stage changed, then it matches: %s', (fields, expected) => {
    const rule = aRule({ eventType: 'deal.field_changed', fields });

    expect(matched(rule, {}, { ...MOVED, type: 'deal.field_changed' }).matched).toBe(expected);
  });
});

test('when nothing that the rule listens to happened, then it says so', () => {
  expect(matched(aRule({ eventType: 'deal.lost' }))).toEqual({ matched: false, code: 'otherEvent' });
});

test.each([
  [1, 'switchedOnLater'],
  [0, undefined],
  [-1, undefined],
])('when a rule was switched on %d ms after the event came in, then the reason is %s', (enabledAtMs, code) => {
  const match = matched(aRule({ enabledAtMs, ownerIds: [1] }));

  expect(match.matched ? undefined : match.code).toBe(code);
});

test('when rules are indexed, then those that are off are left out and the others keep their order', () => {
  const rules = [aRule({ id: 3 }), aRule({ id: 1, eventType: 'deal.lost' }), aRule({ id: 2, enabled: false }), aRule({ id: 4 })];

  const index = indexRules(rules);

  expect(index.get('deal.won')?.map(({ id }) => id)).toEqual([3, 4]);
  expect(index.get('deal.lost')?.map(({ id }) => id)).toEqual([1]);
  expect(index.get('deal.created')).toBeUndefined();
});
