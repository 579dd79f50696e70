/** Reasons in words: whole sentences with names, numbers and currencies that a sales manager understands. */

import { DECISION_CODES, type Decision } from '../../../src/core/decision';
import { EVENT_TYPES } from '../../../src/core/transition';
import type { NameOf } from '../../../src/rules/decision-names';
import { EVENT_NAMES, explainDecision } from '../../../src/rules/explain';
import { listDecisions } from '../../../src/rules/list-decisions';
import { aRule, at } from '../../support/builders';

const NAMES: Readonly<Record<string, string>> = {
  'pipeline 1': 'Enterprise',
  'pipeline 2': 'Renewals',
  'stage 11': 'Negotiation',
  'user 9': 'Ana Silva',
};
const nameOf: NameOf = (entity, id) => NAMES[`${entity} ${id}`] ?? null;
const event = { entity: 'deal', transitions: ['deal.stage_changed'] };

const worded = (decision: Partial<Decision>, given: Parameters<typeof aRule>[0] = {}) =>
  explainDecision({ ruleId: 1, matched: false, code: 'matched', ...decision }, aRule(given), event, nameOf);

test.each<[Partial<Decision>, Parameters<typeof aRule>[0], string]>([
  [
    { code: 'pipeline', actual: 1 },
    { pipelineIds: [2] },
    'Not matched: the pipeline is “Enterprise”, and the rule asks for “Renewals”.',
  ],
  [
    { code: 'pipeline', actual: null },
    { pipelineIds: [2] },
    'Not matched: the pipeline is not set, and the rule asks for “Renewals”.',
  ],
  [
    { code: 'stage', actual: 11 },
    { stageIds: [5, 6] },
    'Not matched: the stage is “Negotiation”, and the rule asks for a stage whose name is not known.',
  ],
  [
    { code: 'fromStage', actual: 11 },
    { fromStageIds: [5] },
    'Not matched: the stage it left is “Negotiation”, and the rule asks for a stage whose name is not known.',
  ],
  [
    { code: 'owner', actual: 3 },
    { ownerIds: [9] },
    'Not matched: the owner is a user whose name is not known, and the rule asks for “Ana Silva”.',
  ],
  [
    { code: 'minValue', actual: { amount: 8000, currency: 'EUR' } },
    { minValue: 10_000 },
    'Not matched: the value 8,000 EUR is below 10,000 EUR.',
  ],
  [
    { code: 'noValue' },
    { minValue: 10_000, currency: 'USD' },
    'Not matched: the record has no value, and the rule asks for at least 10,000 USD.',
  ],
  [
    { code: 'otherCurrency', actual: { amount: 8000, currency: 'EUR', wanted: 'USD' } },
    { minValue: 1 },
    'Not matched: the value 8,000 EUR cannot be compared in USD: no exchange rate is known.',
  ],
  [
    { code: 'crossing', actual: { amount: 12_000, currency: 'EUR' } },
    { minValue: 10_000, currency: 'EUR', crossing: true },
    'Not matched: the value was 12,000 EUR before, which is not below 10,000 EUR, so it did not cross that threshold.',
  ],
  [
    { code: 'kind', actual: ['forward', 'skipped'] },
    { kinds: ['back'] },
    'Not matched: this was a move forward, a move that skips stages, and the rule asks for a move back.',
  ],
  [
    { code: 'kind', actual: [] },
    { kinds: ['slipped', 'pulledIn'] },
    'Not matched: this was none of these, and the rule asks for a slip to a later day or a pull to an earlier day.',
  ],
  [
    { code: 'kind', actual: null },
    { kinds: ['back'] },
    'Not matched: the rule asks for a move back, and the order of these stages is not known.',
  ],
  [{ code: 'fields' }, { fields: ['lost_reason'] }, 'Not matched: the field lost reason did not change.'],
  [
    { code: 'alreadyTold', actual: { ruleId: 2, ruleName: 'Big wins' } },
    {},
    'Not told: already told by rule “Big wins” in the same space, which stops the rules below it.',
  ],
  [{ code: 'muted' }, {}, 'Not told: this record is muted.'],
  [
    { code: 'foundTooLate' },
    {},
    'Not told: Pipedrive sent no webhook of it, and when it was found in Pipedrive’s own list it was too old to be news.',
  ],
  [{ code: 'corrected', toldByEventId: 41 }, {}, 'Told as a correction: what event 41 had told was taken back.'],
  [{ code: 'noDestination' }, {}, 'Matched, but not told: every destination of the rule is paused or gone.'],
  [{ code: 'outdated' }, {}, 'Not told: this event is older than what was already known of the record, or repeats it.'],
  [{ code: 'switchedOnLater' }, {}, 'Not told: the rule was switched on after this event had come in.'],
  [{ code: 'fields' }, { fields: ['title', 'value'] }, 'Not matched: none of the fields title, value changed.'],
  [
    { code: 'fields' },
    { fields: ['lost_reason', 'a'.repeat(40)] },
    'Not matched: none of the fields lost reason, custom field changed.',
  ],
  [
    { code: 'settled', toldByEventId: 41, matched: true },
    {},
    'Told together with event 41: the two came within the time that the rule waits for later edits, so they are one message.',
  ],
  [{ code: 'settled' }, {}, 'Not told: the change was taken back before its message was due.'],
  [{ code: 'otherEvent' }, {}, 'Not matched: the rule listens to “deal won”, and this was: stage changed.'],
])('when the decision is %j, then the sentence says what was there and what was asked', (decision, given, sentence) => {
  expect(worded(decision, given)).toBe(sentence);
});

test('when the rule is gone, then every code still has its sentence', () => {
  const sentences = DECISION_CODES.map((code) => explainDecision({ ruleId: 1, matched: false, code }, null, event));

  for (const sentence of sentences) expect(sentence).toMatch(/^[A-Z].*\.$/);
});

test('when an event was nothing that rules can tell, then the sentence says that', () => {
  const sentence = explainDecision({ ruleId: 1, matched: false, code: 'otherEvent' }, aRule(), {
    entity: 'person',
    transitions: [],
  });

  expect(sentence).toBe('Not matched: the rule listens to “deal won”, and this person event was nothing that rules can tell.');
});

test('when a transition is of a kind that is no more known, then its code stands for it', () => {
  const sentence = explainDecision({ ruleId: 1, matched: false, code: 'otherEvent' }, aRule(), {
    entity: 'deal',
    transitions: ['deal.flown'],
  });

  expect(sentence).toContain('deal.flown');
});

test('when event types are named, then every name is its own', () => {
  expect(new Set(EVENT_TYPES.map((type) => EVENT_NAMES[type])).size).toBe(EVENT_TYPES.length);
});

describe('all decisions on an event', () => {
  const decided = {
    ...event,
    receivedAt: at(0),
    routedAt: at(10),
    ignoredReason: null,
    decisions: [{ ruleId: 1, matched: true, code: 'matched' as const }],
  };
  const rules = new Map(
    [aRule({ id: 1 }), aRule({ id: 2, name: 'Losses' }), aRule({ id: 3, enabled: false }), aRule({ id: 4, enabledAtMs: 1 })].map(
      (rule) => [rule.id, rule],
    ),
  );

  test.each<[Omit<Decision, 'ruleId' | 'matched'>, string]>([
    [{ code: 'matched' }, 'Told because this record is watched.'],
    [{ code: 'switchedOnLater' }, 'Not told: watching began after this event had come in.'],
    [{ code: 'alreadyTold', actual: { ruleId: 1, ruleName: 'Wins' } }, 'Not told again: rule “Wins” tells it in the same space.'],
    [{ code: 'noDestination' }, 'Not told: the space is gone.'],
    [{ code: 'muted' }, 'Not told: this record is muted.'],
    [{ code: 'settled' }, 'Not told: the change was taken back before its message was due.'],
    [
      { code: 'settled', toldByEventId: 3 },
      'Told together with event 3: the two came within the time that a watch waits for later edits, so they are one message.',
    ],
  ])('when a watch decides %j, then the sentence speaks of watching and of no rule of its own', (decision, sentence) => {
    expect(explainDecision({ ruleId: -7, matched: false, ...decision }, null, decided)).toBe(sentence);
  });

  const NO_WATCHES = new Map();

  test.each([
    ['goes on', new Map([[7, { author: 'Ana', spaceName: 'Sales wins' }]]), 'Watched by Ana in Sales wins'],
    ['was stopped since', NO_WATCHES, 'Watched until somebody stopped it'],
  ])('when a watch told it that %s, then it is listed by its name and not among the rules', (_, watches, ruleName) => {
    const decisions = [{ ruleId: -7, matched: true, code: 'matched' as const }];

    const [first, ...others] = listDecisions({ ...decided, decisions }, rules, watches, () => nameOf);

    const reason = 'Told because this record is watched.';
    expect(first).toEqual({ ruleId: null, watchId: 7, ruleName, matched: true, reason });
    expect(others.map(({ ruleId, watchId }) => [ruleId, watchId])).toEqual([
      [1, undefined],
      [2, undefined],
    ]);
  });

  test('when rules listened to something else, then they are listed with that reason', () => {
    const lines = listDecisions(decided, rules, NO_WATCHES, () => nameOf);

    expect(lines.map(({ ruleId, matched }) => [ruleId, matched])).toEqual([
      [1, true],
      [2, false],
    ]);
    expect(lines[1]).toMatchObject({ ruleName: 'Losses', reason: expect.stringContaining('listens to') });
  });

  test('when the event was not routed yet or is ignored, then there are none', () => {
    expect(listDecisions({ ...decided, routedAt: null }, rules, NO_WATCHES, () => nameOf)).toEqual([]);
    expect(listDecisions({ ...decided, ignoredReason: 'v1' }, rules, NO_WATCHES, () => nameOf)).toEqual([]);
  });

  test('when the rule was removed since, then its decision is still told', () => {
    const [line] = listDecisions(
      { ...decided, decisions: [{ ruleId: 99, matched: false, code: 'owner', actual: 9 }] },
      new Map(),
      NO_WATCHES,
      () => nameOf,
    );

    expect(line).toMatchObject({
      ruleName: 'removed rule',
      reason: 'Not matched: the owner is “Ana Silva”, and the rule asks for another one.',
    });
  });
});
