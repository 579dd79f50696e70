/** When webhooks have told everything, then comparing with Pipedrive's own lists finds nothing, however differently those are spelled. */

import { pino } from 'pino';
import { makePipedriveApi } from '../../src/clients/pipedrive-api';
import { tenantId } from '../../src/core/tenant';
import { EVENT_TYPES } from '../../src/core/transition';
import { makeKnownRecordStore } from '../../src/reconciliation/known-records.store';
import { makeReconcileTenant } from '../../src/reconciliation/reconcile-tenant';
import { DEMO_COMPANY_ID } from '../fakes/pipedrive/seed-crm';
import { ledgerAtRest } from '../support/ledger-at-rest';
import { useTestDatabase } from '../support/test-database';
import { firstAdmin, startWorld, type World } from '../support/world';
import { TELLINGS } from './tellings';

const HOUR_MS = 3_600_000;

describe('A day on which every webhook came', () => {
  afterAll(() => world.close());
  const testDatabase = useTestDatabase();
  let world: World;

  beforeAll(async () => {
    world = await startWorld({ databaseUrl: testDatabase.connectionString });
    await world.install();
  });

  test('when everything that can happen has happened, then an hour later no list differs from what was told', async () => {
    const { pool } = testDatabase.database;
    for (const { type, deed } of TELLINGS) await deed(world, `Told ${type}`);
    await ledgerAtRest(world, pool);
    const log = pino({ level: 'silent' });
    const apiToken = world.pipedrive.apiToken(DEMO_COMPANY_ID, firstAdmin(world.pipedrive, DEMO_COMPANY_ID));
    const credential = { kind: 'apiToken', apiToken } as const;
    const found: string[] = [];
    const reconcileTenant = makeReconcileTenant({
      apiOf: () => Promise.resolve(makePipedriveApi({ apiOrigin: world.pipedrive.url, credential, patience: 'lookUp', log })),
      store: makeKnownRecordStore(pool),
      acceptEvent: (_tenant, body) => {
        found.push(body.toString('utf8'));
        return Promise.resolve({ status: 'accepted' });
      },
      clock: () => new Date(Date.now() + HOUR_MS),
      log,
    });
    const { rows } = await pool.query<{ id: number; created_at: Date }>('SELECT id, created_at FROM tenants');

    const due = {
      tenantId: tenantId(rows[0]?.id ?? 0),
      // The times in records are whole seconds.
      since: new Date(Math.floor((rows[0]?.created_at ?? new Date()).getTime() / 1000) * 1000),
      comparedUntil: {},
      wantedTypes: EVENT_TYPES,
      wantedBecause: null,
    };
    const end = await reconcileTenant(due, () => Promise.resolve());

    expect(end.trouble).toBeNull();
    expect(found).toEqual([]);
    const lists = world.pipedrive.requests.filter(({ query }) => 'updated_since' in query).map(({ path }) => path);
    expect(lists).toEqual([
      ...['/api/v2/deals', '/api/v2/deals/archived', '/api/v1/leads', '/api/v2/persons', '/api/v2/organizations'],
      ...['/api/v2/activities', '/api/v1/notes'],
    ]);
    const seen = await pool.query<{ count: number }>('SELECT count(*)::int AS count FROM sightings');
    expect(seen.rows[0]?.count).toBeGreaterThan(20);
  });
});
