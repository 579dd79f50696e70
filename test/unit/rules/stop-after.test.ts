/** `stopAfter`: who tells a destination of a change first, who keeps silent behind it, and who speaks again when that comes to nothing. */

import type { RecordState } from '../../../src/core/record';
import { explainDecision } from '../../../src/rules/explain';
import { aDealWebhook, aRule } from '../../support/builders';
import { makeMemoryLedger, type MemoryLedger } from '../../support/memory-ledger';

type Given = Parameters<typeof aRule>[0];
const first = (given: Given = {}) => aRule({ id: 2, name: 'Big wins', position: 1, stopAfter: true, ...given });
const second = (given: Given = {}) => aRule({ id: 1, name: 'Wins', position: 2, ...given });
const win = (atMs: number, data: RecordState = {}) =>
  aDealWebhook({ atMs, previous: { status: 'open' }, data: { status: 'won', value: 900, ...data } });
const edit = (atMs: number, previous: RecordState, data: RecordState) =>
  aDealWebhook({ atMs, previous, data: { status: 'won', ...data } });
const told = (ledger: MemoryLedger) => ledger.told().map(({ rule, to, ways }) => `${rule} to ${to}: ${ways.join()}`);
const WON = '"open">"won"';

test('when a rule with stopAfter tells a destination, then the rule behind it keeps silent there and says who told', async () => {
  const [big, all] = [first(), second()];
  const ledger = makeMemoryLedger({ rules: [all, big] });

  await ledger.route(win(0));

  expect(told(ledger)).toEqual([`2 to 1: ${WON}`]);
  expect(ledger.codes(1)).toEqual(['2:matched', '1:alreadyTold']);
  const [, decision] = ledger.event(1).decisions;
  if (decision === undefined) throw new Error('there is no second decision');
  const reason = explainDecision(decision, all, { entity: 'deal', transitions: ['deal.won'] });
  expect(reason.toLowerCase()).toContain('already told by rule “big wins”');
});

test.each<[string, Given, Given, readonly string[]]>([
  ['positions are equal, the lower id is first', { position: 1, id: 5 }, { position: 1, id: 6 }, [`5 to 1: ${WON}`]],
  [
    'positions are equal and the stopping rule has the higher id',
    { id: 6 },
    { position: 1, id: 5 },
    [`5 to 1: ${WON}`, `6 to 1: ${WON}`],
  ],
  ['the stopping rule is behind', { position: 9 }, {}, [`1 to 1: ${WON}`, `2 to 1: ${WON}`]],
  ['the stopping rule does not match', { minValue: 1000 }, {}, [`1 to 1: ${WON}`]],
  ['the stopping rule is off', { enabled: false }, {}, [`1 to 1: ${WON}`]],
  ['the destinations differ', {}, { targetWebhookIds: [2] }, [`2 to 1: ${WON}`, `1 to 2: ${WON}`]],
  ['the destinations overlap', {}, { targetWebhookIds: [1, 2] }, [`2 to 1: ${WON}`, `1 to 2: ${WON}`]],
  ['the rule in front does not stop', { stopAfter: false }, {}, [`2 to 1: ${WON}`, `1 to 1: ${WON}`]],
])('when %s, then these messages are owed', async (_name, front, behind, expected) => {
  const ledger = makeMemoryLedger({ rules: [first(front), second(behind)] });

  await ledger.route(win(0));

  expect(told(ledger)).toEqual(expected);
});

test('when another deal is won, then a rule that stopped says nothing about it', async () => {
  const ledger = makeMemoryLedger({ rules: [first({ minValue: 500 }), second()] });

  await ledger.route(win(0), aDealWebhook({ id: 9, atMs: 5, previous: { status: 'open' }, data: { status: 'won', value: 5 } }));

  expect(told(ledger)).toEqual([`2 to 1: ${WON}`, `1 to 1: ${WON}`]);
});

/** Both ways of routing must come to the same. */
describe.each([
  ['in one batch', true],
  ['each in its own batch', false],
])('when events of one window are routed %s', (_name, isTogether) => {
  async function routed(rules: readonly ReturnType<typeof aRule>[], ...webhooks: readonly ReturnType<typeof edit>[]) {
    const ledger = makeMemoryLedger({ rules });
    if (isTogether) await ledger.route(...webhooks);
    else for (const webhook of webhooks) await ledger.route(webhook);
    return ledger;
  }

  test('and the stopping rule matches at a later event only, then the message that waits behind it is dropped', async () => {
    const ledger = await routed([first({ minValue: 1000 }), second()], win(0), edit(500, { value: 900 }, { value: 2000 }));

    expect(told(ledger)).toEqual([`2 to 1: ${WON}`]);
    expect(ledger.codes(2)).toEqual(['2:matched', '1:alreadyTold']);
    if (!isTogether) expect(ledger.dropped()).toMatchObject([{ rule: 1, reason: expect.stringContaining('“Big wins”') }]);
  });

  test('and the stopping rule no longer matches, then the rule behind tells the net change', async () => {
    const ledger = await routed([first({ minValue: 500 }), second()], win(0), edit(500, { value: 900 }, { value: 5 }));

    expect(told(ledger)).toEqual([`1 to 1: ${WON}`]);
    expect(ledger.told()).toMatchObject([{ dueMs: 1500 }]);
    expect(ledger.codes(2)).toEqual(['2:settled', '1:matched']);
  });

  test('and it goes back and forth, then at the end just one of them tells', async () => {
    const [down, up] = [edit(300, { value: 900 }, { value: 5 }), edit(600, { value: 5 }, { value: 700 })];

    const ledger = await routed([first({ minValue: 500 }), second()], win(0), down, up);

    expect(told(ledger)).toEqual([`2 to 1: ${WON}`]);
  });

  test('and everything is taken back, then nobody tells', async () => {
    const reopened = aDealWebhook({ atMs: 600, previous: { status: 'won' }, data: { status: 'open', value: 900 } });

    const ledger = await routed([first(), second()], win(0), reopened);

    expect(told(ledger)).toEqual([]);
  });

  test('and a stage goes on to one that the stopping rule leaves out, then the rule behind tells the whole way', async () => {
    const eventType = 'deal.stage_changed' as const;
    const move = (atMs: number, from: number, to: number) =>
      aDealWebhook({ atMs, previous: { stage_id: from }, data: { stage_id: to } });

    const ledger = await routed([first({ eventType, stageIds: [5] }), second({ eventType })], move(0, 4, 5), move(500, 5, 6));

    expect(told(ledger)).toEqual(['1 to 1: 4>6']);
  });

  test('and the destinations overlap, then the freed one hears the rule behind too and the other one hears it once', async () => {
    const behind = second({ targetWebhookIds: [1, 2] });

    const ledger = await routed([first({ minValue: 500 }), behind], win(0), edit(500, { value: 900 }, { value: 5 }));

    expect(told(ledger).sort()).toEqual([`1 to 1: ${WON}`, `1 to 2: ${WON}`]);
  });

  test('and a message of the rule behind waits elsewhere, then its decision says that it is told there', async () => {
    const behind = second({ targetWebhookIds: [1, 2] });

    const ledger = await routed([first(), behind], win(0), edit(500, { value: 900 }, { value: 950 }));

    expect(told(ledger).sort()).toEqual([`1 to 2: ${WON}`, `2 to 1: ${WON}`]);
    expect(ledger.codes(2)).toEqual(['2:settled', '1:settled']);
    expect(ledger.event(2).decisions).toMatchObject([{ toldByEventId: 1 }, { toldByEventId: 1 }]);
  });

  test.each([0, 100])(
    'and the rule behind waits only %d ms, then it still tells what the stopping rule gave up',
    async (settleMs) => {
      const rules = [first({ minValue: 500, settleMs: 60_000 }), second({ settleMs })];

      const ledger = await routed(rules, win(0), edit(30_000, { value: 900 }, { value: 5 }));

      expect(told(ledger)).toEqual([`1 to 1: ${WON}`]);
      expect(ledger.told()).toMatchObject([{ dueMs: 30_000 }]);
    },
  );
});

test('when the message of the stopping rule has left, then a later event does not bring the rule behind to speak of the same', async () => {
  const ledger = makeMemoryLedger({ rules: [first({ minValue: 500 }), second()] });
  await ledger.route(win(0));
  ledger.sendUntil(2000);

  await ledger.route(edit(3000, { value: 900 }, { value: 5 }));

  expect(told(ledger)).toEqual([`2 to 1: ${WON}`]);
});
