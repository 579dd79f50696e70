/** Waiting messages as the router reads them back from PostgreSQL. */

import { randomInt, randomUUID } from 'node:crypto';
import { pino } from 'pino';
import { tenantId } from '../../../src/core/tenant';
import { makeRouteEvents } from '../../../src/rules/route-events';
import { makeRoutingStore } from '../../../src/rules/routing.store';
import { aDealWebhook, aRule, at } from '../../support/builders';
import { useTestDatabase } from '../../support/test-database';

const testDatabase = useTestDatabase();

test('when a later event of the window is routed, then the message in the ledger tells the net change', async () => {
  const { pool, tenant, route } = await aTenantThatRoutes();

  await route(0, 1, 2);
  await route(1000, 2, 3);
  await route(1501, 3, 4);

  const { rows } = await pool.query('SELECT transition, not_before FROM deliveries WHERE tenant_id = $1 ORDER BY id', [
    tenant.id,
  ]);
  expect(rows).toMatchObject([
    { transition: { changes: [{ from: 1, to: 3 }] }, not_before: at(1500) },
    { transition: { changes: [{ from: 3, to: 4 }] }, not_before: at(3001) },
  ]);
});

test('when a change of several steps is taken back, then no event of the window claims to be told', async () => {
  const { pool, tenant, route } = await aTenantThatRoutes();

  await route(0, 1, 2);
  await route(300, 2, 3);
  await route(600, 3, 1);

  const { rows } = await pool.query('SELECT decisions FROM events WHERE tenant_id = $1 ORDER BY id', [tenant.id]);
  const takenBack = { decisions: [{ ruleId: 1, matched: false, code: 'settled' }] };
  expect(rows).toEqual([takenBack, takenBack, takenBack]);
});

test('when its body was made and never posted, then that stays what it tells, and a later change is told by another', async () => {
  const { pool, tenant, route } = await aTenantThatRoutes();
  await route(0, 1, 2);
  await pool.query(`UPDATE deliveries SET rendered_body = '{"text":"from 1 to 2"}' WHERE tenant_id = $1`, [tenant.id]);

  await route(300, 2, 3);

  const { rows } = await pool.query('SELECT transition, rendered_body AS body FROM deliveries WHERE tenant_id = $1 ORDER BY id', [
    tenant.id,
  ]);
  expect(rows).toMatchObject([
    { transition: { changes: [{ from: 1, to: 2 }] }, body: '{"text":"from 1 to 2"}' },
    { transition: { changes: [{ from: 2, to: 3 }] }, body: null },
  ]);
});

test('when it tells other messages too and its own change is taken back, then it goes all the same, with the others', async () => {
  const { pool, tenant, route } = await aTenantThatRoutes();
  await route(0, 1, 2);
  await pool.query(`UPDATE deliveries SET fold_kind = 'backlog' WHERE tenant_id = $1`, [tenant.id]);

  await route(300, 2, 1);

  const { rows } = await pool.query('SELECT state, transition FROM deliveries WHERE tenant_id = $1 ORDER BY id', [tenant.id]);
  expect(rows).toMatchObject([
    { state: 'queued', transition: { changes: [{ from: 1, to: 2 }] } },
    { state: 'queued', transition: { changes: [{ from: 2, to: 1 }] } },
  ]);
});

test('when a newer version wrote a message that waits, then later events of its record are routed, and told by another', async () => {
  const { pool, tenant, route } = await aTenantThatRoutes();
  await route(0, 1, 2);
  await pool.query(`UPDATE deliveries SET transition = '{"type": "deal.sung_of", "changes": []}' WHERE tenant_id = $1`, [
    tenant.id,
  ]);

  await route(300, 2, 3);

  const { rows } = await pool.query('SELECT state, transition FROM deliveries WHERE tenant_id = $1 ORDER BY id', [tenant.id]);
  expect(rows).toMatchObject([
    { state: 'queued', transition: { type: 'deal.sung_of' } },
    { state: 'queued', transition: { changes: [{ from: 2, to: 3 }] } },
  ]);
});

/** A tenant with a rule on stages, and how an event of its deal, each in its own batch, is routed. */
async function aTenantThatRoutes() {
  const { pool } = testDatabase.database;
  const tenant = await testDatabase.database.prisma.tenant.create({
    data: {
      ...{
        companyId: BigInt(randomInt(1_000_000)),
        companyName: 'Acme',
        companyDomain: 'acme',
        locale: 'en_US',
        timeZone: 'UTC',
        baseCurrency: 'EUR',
      },
      ...{ publicId: randomUUID(), sealedSigningSecret: 'sealed' },
    },
  });
  const rule = aRule({ eventType: 'deal.stage_changed' });
  const store = makeRoutingStore(testDatabase.database, () =>
    Promise.resolve({ rules: [rule], destinations: [{ id: 1, spaceId: 'AAAA' }], muted: [], hasWatches: false }),
  );
  const bell = { ringRoute: () => undefined, ringDeliver: () => undefined };
  const routeEvents = makeRouteEvents({
    store,
    bell,
    log: pino({ level: 'silent' }),
    settleMs: 1500,
    nowMs: () => 0,
    refreshRates: () => Promise.resolve(false),
    refreshStages: () => Promise.resolve(false),
  });
  const route = async (ms: number, from: number, to: number) => {
    const { body } = aDealWebhook({ atMs: ms, previous: { stage_id: from }, data: { stage_id: to } });
    await pool.query(
      `INSERT INTO events (tenant_id, entity, entity_id, action, meta_id, occurred_at, received_at, payload)
       VALUES ($1, 'deal', '8', 'change', $2, $3, $3, $4)`,
      [tenant.id, `event ${ms}`, at(ms), body],
    );
    await routeEvents(tenantId(tenant.id));
  };
  return { pool, tenant, route };
}
