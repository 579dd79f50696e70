/** What a watch was to tell and has not, as the router finds it in PostgreSQL: no rule is silent for its sake. */

import { pino } from 'pino';
import type { RecordState } from '../../../src/core/record';
import { makeRouteEvents } from '../../../src/rules/route-events';
import { makeRoutingStore } from '../../../src/rules/routing.store';
import { addWatch } from '../../../src/rules/watch.store';
import { aDealWebhook, aRule, at } from '../../support/builders';
import { useTestDatabase } from '../../support/test-database';
import { useLedger } from '../../support/use-ledger';

const testDatabase = useTestDatabase();
const ledger = useLedger(testDatabase);
const URGENT = aRule({ id: 1, name: 'Big ones', eventType: 'deal.stage_changed', minValue: 500, settleMs: 60_000, urgent: true });
const LATE = { ...URGENT, urgent: false };

test.each([
  ['held for quiet hours, and the rule is urgent', `state = 'held', held_for = 'quiet'`, URGENT, ['dropped', 'queued']],
  ['held for quiet hours, and the rule is not urgent', `state = 'held', held_for = 'quiet'`, LATE, ['held']],
  ['held because the space is broken', `state = 'held', held_because = 'broken'`, URGENT, ['held']],
  ['held and made ready', `state = 'held', held_for = 'quiet', rendered_body = '{}'`, URGENT, ['held', 'queued']],
  ['dropped in quiet hours', `state = 'dropped', finished_at = now()`, LATE, ['dropped', 'queued']],
  ['dropped before it was due', `state = 'dropped', finished_at = not_before - interval '1 second'`, URGENT, ['dropped']],
  ['given up', `state = 'failed', finished_at = now()`, LATE, ['failed', 'queued']],
  ['sent', `state = 'sent', finished_at = now()`, URGENT, ['sent']],
])('when the message of the watch was %s, then the rule that comes to match tells, or not', async (_, change, rule, expected) => {
  const { route, stageMessages } = await aWatchedDeal(rule);
  await route(0, { stage_id: 11 }, { stage_id: 12 });
  await ledger.query(`UPDATE deliveries SET ${change} WHERE tenant_id = $1`, ledger.tenant);

  await route(10_000, { value: 100 }, { stage_id: 12, value: 900 });

  expect(await stageMessages()).toEqual(expected);
});

test('when the watch’s message is dropped for the urgent one, then the event of it says who tells', async () => {
  const { route } = await aWatchedDeal(URGENT);
  await route(0, { stage_id: 11 }, { stage_id: 12 });
  await ledger.query(`UPDATE deliveries SET state = 'held', held_for = 'quiet' WHERE tenant_id = $1`, ledger.tenant);

  await route(10_000, { value: 100 }, { stage_id: 12, value: 900 });

  const { rows } = await ledger.query('SELECT decisions FROM events WHERE tenant_id = $1 ORDER BY id LIMIT 1', ledger.tenant);
  expect(rows[0].decisions).toContainEqual(
    expect.objectContaining({ matched: false, code: 'alreadyTold', actual: { ruleId: 1, ruleName: 'Big ones' } }),
  );
});

/** Deal 8, watched where the rule tells, and how an event of it is routed. */
async function aWatchedDeal(rule: ReturnType<typeof aRule>) {
  const { database } = testDatabase;
  await ledger.addDestination();
  await addWatch(database.prisma, ledger.tenant, {
    ...{ entity: 'deal', entityId: '8', chatWebhookId: 1, author: 'Ana', createdAt: at(-1000) },
  });
  const store = makeRoutingStore(database, () =>
    Promise.resolve({ rules: [rule], destinations: [{ id: 1, spaceId: 'A' }], muted: [], hasWatches: true }),
  );
  const routeEvents = makeRouteEvents({
    store,
    bell: { ringRoute: () => undefined, ringDeliver: () => undefined },
    log: pino({ level: 'silent' }),
    settleMs: 1500,
    nowMs: () => 0,
    refreshRates: () => Promise.resolve(false),
    refreshStages: () => Promise.resolve(false),
  });
  const route = async (ms: number, previous: RecordState, data: RecordState) => {
    const { body } = aDealWebhook({ atMs: ms, previous, data });
    await ledger.query(
      `INSERT INTO events (tenant_id, entity, entity_id, action, meta_id, occurred_at, received_at, payload)
       VALUES ($1, 'deal', '8', 'change', $2, $3, $3, $4)`,
      ...[ledger.tenant, `event ${ms}`, at(ms), body],
    );
    await routeEvents(ledger.tenant);
  };
  const stageMessages = async (): Promise<readonly string[]> => {
    const { rows } = await ledger.query(
      `SELECT state FROM deliveries WHERE tenant_id = $1 AND transition ->> 'type' = 'deal.stage_changed' ORDER BY id`,
      ledger.tenant,
    );
    return rows.map(({ state }) => state);
  };
  return { route, stageMessages };
}
