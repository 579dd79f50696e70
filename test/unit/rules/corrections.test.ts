/** What was told and is taken back after its window: one correction in the record's thread, or the rule's own message, never both. */

import type { RecordState } from '../../../src/core/record';
import type { Rule } from '../../../src/core/rule';
import { explainDecision } from '../../../src/rules/explain';
import { aDealWebhook, aRule, type SentWebhook } from '../../support/builders';
import { makeMemoryLedger, type MemoryLedger } from '../../support/memory-ledger';

const HOUR_MS = 3_600_000;
const destinations = [
  { id: 1, spaceId: 'space 1', isThreaded: true },
  { id: 2, spaceId: 'space 2', isThreaded: true },
  { id: 3, spaceId: 'space 3', isThreaded: false },
];
const change = (atMs: number, previous: RecordState, data: RecordState) => aDealWebhook({ atMs, previous, data });
const won = (atMs: number, from = 'open') => change(atMs, { status: from }, { status: 'won' });
const reopened = (atMs: number, from = 'won') => change(atMs, { status: from }, { status: 'open' });
const move = (atMs: number, from: number, to: number) => change(atMs, { stage_id: from }, { stage_id: to });
const onWon = aRule({ id: 1, name: 'Wins' });
const onB = aRule({ id: 2, name: 'In B', eventType: 'deal.stage_changed', stageIds: [2] });
const onStage = aRule({ id: 3, eventType: 'deal.stage_changed' });
const onReopened = aRule({ id: 4, name: 'Reopened', eventType: 'deal.reopened' });

/** "rule to destination: type", with the event that is corrected behind it. */
const told = (ledger: MemoryLedger) =>
  ledger
    .deliveries()
    .filter(({ state }) => state !== 'dropped')
    .map(({ ruleId, chatWebhookId, change: { transition } }) => {
      const corrects = transition.corrects === undefined ? '' : ` corrects ${transition.corrects}`;
      return `${ruleId} to ${chatWebhookId}: ${transition.type}${corrects}`;
    });

describe.each(['in one batch', 'each in its own batch', 'each in its own batch, sent on time'])(
  'when events are routed %s',
  (way) => {
    async function routed(rules: readonly Rule[], ...webhooks: readonly SentWebhook[]): Promise<MemoryLedger> {
      const ledger = makeMemoryLedger({ rules, destinations });
      if (way === 'in one batch') await ledger.route(...webhooks);
      else
        for (const webhook of webhooks) {
          if (way.endsWith('on time')) ledger.sendUntil(webhook.receivedAt.getTime() - Date.parse('2026-11-23T12:00:00.000Z'));
          await ledger.route(webhook);
        }
      return ledger;
    }

    test('and a win is taken back minutes later, then the thread hears a correction and the decision says so', async () => {
      const ledger = await routed([onWon], won(0), reopened(12 * 60_000));

      expect(told(ledger)).toEqual(['1 to 1: deal.won', '1 to 1: deal.reopened corrects 1']);
      expect(ledger.event(2).decisions).toEqual([{ ruleId: 1, matched: true, code: 'corrected', toldByEventId: 1 }]);
    });

    test('and a rule on the way back tells the same place, then it alone speaks', async () => {
      const ledger = await routed([onWon, onReopened], won(0), reopened(60_000));

      expect(told(ledger)).toEqual(['1 to 1: deal.won', '4 to 1: deal.reopened']);
      expect(ledger.codes(2)).toEqual(['4:matched', '1:alreadyTold']);
    });

    test('and a rule on the way back tells another place, then each place hears it once', async () => {
      const elsewhere = { ...onReopened, targetWebhookIds: [2] };

      const ledger = await routed([onWon, elsewhere], won(0), reopened(60_000));

      expect(told(ledger)).toEqual(['1 to 1: deal.won', '4 to 2: deal.reopened', '1 to 1: deal.reopened corrects 1']);
    });

    test('and two rules told the same place, then it is corrected once', async () => {
      const ledger = await routed([onWon, { ...onWon, id: 9 }], won(0), reopened(60_000));

      expect(told(ledger).slice(2)).toEqual(['1 to 1: deal.reopened corrects 1']);
    });

    test('and a rule hears of both ways, then its own message is the correction', async () => {
      const ledger = await routed([onStage], move(0, 1, 2), move(60_000, 2, 1));

      expect(told(ledger)).toEqual(['3 to 1: deal.stage_changed', '3 to 1: deal.stage_changed corrects 1']);
      expect(ledger.codes(2)).toEqual(['3:matched']);
    });

    test('and a rule hears of one way only, then the way back is a correction', async () => {
      const ledger = await routed([onB], move(0, 1, 2), move(60_000, 2, 1));

      expect(told(ledger)).toEqual(['2 to 1: deal.stage_changed', '2 to 1: deal.stage_changed corrects 1']);
    });

    test.each<[string, readonly SentWebhook[]]>([
      ['it goes on to another stage', [move(0, 1, 2), move(60_000, 2, 3)]],
      ['it comes back by another stage', [move(0, 1, 2), move(60_000, 2, 3), move(120_000, 3, 1)]],
      ['it comes back after the hour', [move(0, 1, 2), move(HOUR_MS + 1, 2, 1)]],
      ['another field is edited', [move(0, 1, 2), change(60_000, { title: 'Old' }, { stage_id: 2 })]],
      ['it comes back inside the window of the way back', [move(0, 1, 2), move(60_000, 2, 1), move(60_900, 1, 2)]],
    ])('and %s, then nothing is corrected', async (_name, events) => {
      const ledger = await routed([onB], ...events);

      expect(told(ledger)).toEqual(['2 to 1: deal.stage_changed']);
    });

    test('and it goes to and fro, then each telling is corrected once', async () => {
      const ledger = await routed([onB], move(0, 1, 2), move(60_000, 2, 1), move(120_000, 1, 2), move(180_000, 2, 1));

      expect(told(ledger)).toEqual([
        '2 to 1: deal.stage_changed',
        '2 to 1: deal.stage_changed corrects 1',
        '2 to 1: deal.stage_changed',
        '2 to 1: deal.stage_changed corrects 3',
      ]);
    });

    test('and an edit follows the way back inside its window, then the correction shows it', async () => {
      const edit = change(60_900, { title: 'Old' }, { status: 'open', title: 'New' });

      const ledger = await routed([onWon], won(0), reopened(60_000), edit);

      expect(told(ledger)).toEqual(['1 to 1: deal.won', '1 to 1: deal.reopened corrects 1']);
      expect(ledger.deliveries().at(-1)?.change.state).toMatchObject({ title: 'New' });
    });

    test('and a win is taken back inside its window, then nothing is told at all', async () => {
      const ledger = await routed([onWon], won(0), reopened(1000), change(60_000, { title: 'Old' }, {}));

      expect(told(ledger)).toEqual([]);
    });

    test('and the rule settles not at all, then the correction goes at once', async () => {
      const ledger = await routed([{ ...onWon, settleMs: 0 }], won(0), reopened(60_000));

      expect(ledger.told().map(({ dueMs }) => dueMs)).toEqual([0, 60_000]);
    });

    test.each([
      ['has no threads', { ...onWon, targetWebhookIds: [3] }, 3],
      ['has threads beside one that has none', { ...onWon, targetWebhookIds: [1, 3] }, 1],
    ])('and a destination %s, then only threads are corrected', async (_name, rule, to) => {
      const ledger = await routed([rule], won(0), reopened(60_000));

      const corrections = told(ledger).filter((line) => line.includes('corrects'));
      expect(corrections).toEqual(to === 3 ? [] : ['1 to 1: deal.reopened corrects 1']);
    });

    test('and a deal is won, lost and won again, then the wins are told and nothing is corrected', async () => {
      const lost = change(60_000, { status: 'won' }, { status: 'lost' });

      const ledger = await routed([onWon], won(0), lost, won(120_000, 'lost'));

      expect(told(ledger)).toEqual(['1 to 1: deal.won', '1 to 1: deal.won']);
    });
  },
);

test('when the message about the way back has left before a later event of its window is routed, then that corrects nothing again', async () => {
  const ledger = makeMemoryLedger({ rules: [onWon, onReopened], destinations });
  await ledger.route(won(0));
  ledger.sendUntil(1500);
  await ledger.route(reopened(60_000));
  ledger.sendUntil(61_500);

  await ledger.route(change(61_400, { title: 'Old' }, { status: 'open' }));

  expect(told(ledger)).toEqual(['1 to 1: deal.won', '4 to 1: deal.reopened']);
});

test('when the rule that told the way back no longer matches, then the thread hears a correction', async () => {
  const ledger = makeMemoryLedger({ rules: [onWon, { ...onReopened, filters: { minValue: 50 } }], destinations });
  await ledger.route(won(0));
  ledger.sendUntil(1500);
  await ledger.route(reopened(60_000));

  await ledger.route(change(60_900, { value: 100 }, { status: 'open', value: 10 }));

  expect(told(ledger)).toEqual(['1 to 1: deal.won', '1 to 1: deal.reopened corrects 1']);
});

test('when the message was dropped on its way, then there is nothing to correct', async () => {
  const ledger = makeMemoryLedger({ rules: [onWon], destinations });
  await ledger.route(won(0));
  for (const row of ledger.deliveries()) row.state = 'dropped';

  await ledger.route(reopened(60_000));

  expect(told(ledger)).toEqual([]);
});

test('when a correction is explained, then it names the event that had told', () => {
  const decision = { ruleId: 1, matched: true, code: 'corrected', toldByEventId: 41 } as const;

  expect(explainDecision(decision, onWon, { entity: 'deal', transitions: ['deal.reopened'] })).toContain('event 41');
});

test('when messages of one record are many, then only the last ones are remembered', async () => {
  const ledger = makeMemoryLedger({ rules: [{ ...onStage, settleMs: 0 }], destinations });

  for (let step = 0; step < 40; step += 1) await ledger.route(move(step * 2000, step, step + 1));

  expect(ledger.shadow('deal', '8')?.told.length).toBeLessThanOrEqual(20);
});
