/** Decisions say what came of them: taken back, repeated, or from a clock that runs ahead. */

import { aDealWebhook, aRule } from '../../support/builders';
import { makeMemoryLedger } from '../../support/memory-ledger';

const onStage = aRule({ eventType: 'deal.stage_changed' });
const move = (atMs: number, from: number, to: number) =>
  aDealWebhook({ atMs, previous: { stage_id: from }, data: { stage_id: to } });

test('when a change is taken back in the same batch, then neither decision claims a message', async () => {
  const ledger = makeMemoryLedger({ rules: [onStage] });

  await ledger.route(move(0, 1, 2), move(300, 2, 1));

  expect(ledger.told()).toEqual([]);
  expect(ledger.codes(1)).toEqual(['1:settled']);
  expect(ledger.codes(2)).toEqual(['1:settled']);
});

test('when a change of several steps is taken back in the same batch, then no decision claims a message', async () => {
  const ledger = makeMemoryLedger({ rules: [onStage] });

  await ledger.route(move(0, 1, 2), move(300, 2, 3), move(600, 3, 1));

  const takenBack = [{ ruleId: 1, matched: false, code: 'settled' }];
  expect([1, 2, 3].map((id) => ledger.event(id).decisions)).toEqual([takenBack, takenBack, takenBack]);
});

test('when a later edit makes a waiting message wrong, then both decisions say by what', async () => {
  const ledger = makeMemoryLedger({ rules: [aRule({ eventType: 'deal.stage_changed', minValue: 100 })] });
  const edit = aDealWebhook({ atMs: 300, previous: { value: 500 }, data: { stage_id: 2, value: 20 } });

  await ledger.route(aDealWebhook({ atMs: 0, previous: { stage_id: 1 }, data: { stage_id: 2, value: 500 } }), edit);

  const decision = { matched: false, code: 'settled', actual: { code: 'minValue' } };
  expect(ledger.told()).toEqual([]);
  expect([1, 2].map((id) => ledger.event(id).decisions)).toMatchObject([[decision], [decision]]);
});

test('when an event comes again under another id, then it is told once', async () => {
  const ledger = makeMemoryLedger({ rules: [onStage], settleMs: 0 });
  const first = move(0, 1, 2);

  await ledger.route(first);
  await ledger.route({ ...first, receivedAt: move(5_000, 1, 2).receivedAt });

  expect(ledger.told()).toHaveLength(1);
  expect(ledger.codes(2)).toEqual(['1:outdated']);
});
