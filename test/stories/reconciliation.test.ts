/** What Pipedrive's webhooks did not bring is found in its own lists and told late, once, whatever comes in which order. */

import type { Pool } from 'pg';
import { DEMO_COMPANY_ID } from '../fakes/pipedrive/seed-crm';
import { addRule, connectChannel, visibleText, type Channel } from '../support/channel';
import { ledgerAtRest } from '../support/ledger-at-rest';
import { useTestDatabase } from '../support/test-database';
import { waitUntil } from '../support/wait-until';
import { startWorld, type World } from '../support/world';
import { newDeal } from './tellings';

const MINUTE_MS = 60_000;
const ago = (minutes: number): Date => new Date(Date.now() - minutes * MINUTE_MS);

describe('Webhooks that never came', () => {
  afterEach(() => world.close());
  const testDatabase = useTestDatabase();
  let world: World;
  let token: string;
  let channel: Channel;

  beforeEach(async () => {
    await testDatabase.clear();
    world = await startWorld({
      ...{ databaseUrl: testDatabase.connectionString, config: { spaceIntervalMs: 0 } },
      chat: { enforceQuota: false },
    });
    token = await world.install();
    channel = await connectChannel(world, token, 'Wins');
    await reconcile();
    for (const type of ['deal.won', 'deal.lost', 'deal.created', 'deal.stage_changed'])
      await addRule(world, token, type, channel);
    await installedLongAgo(testDatabase.database.pool);
    await rest();
    world.pipedrive.clearLogs();
  });

  const rest = () => ledgerAtRest(world, testDatabase.database.pool);
  const texts = (): readonly string[] => world.chat.messages(channel.spaceId).map(visibleText);
  const about = (title: string): readonly string[] => texts().filter((text) => text.includes(title));

  /** Compares now and waits until that is done and everything that was found is told. */
  async function reconcile(): Promise<void> {
    const { pool } = testDatabase.database;
    await pool.query(`UPDATE reconciliations SET last_started_at = NULL, last_finished_at = NULL, trouble = NULL`);
    const answer = await world.api('POST', '/reconciliation', token);
    expect(answer.status).toBe(202);
    await waitUntil('compared', async () => {
      const { rows } = await pool.query<{ done: boolean }>(
        'SELECT (last_finished_at IS NOT NULL OR trouble IS NOT NULL) AND lease_until IS NULL AS done FROM reconciliations',
      );
      return rows[0]?.done === true;
    });
    await rest();
  }

  /** As Pipedrive does after three bad days, or when a webhook is banned. */
  function deaf(): void {
    for (const webhook of world.pipedrive.webhooks.values()) webhook.isActive = false;
  }

  test('when deals were won, lost, made and moved while no webhook came, then each is told once, as late, with its time', async () => {
    const known = await newDeal(world, 'Known and won');
    const moved = await newDeal(world, 'Known and moved');
    await rest();
    await pastShadows(testDatabase.database.pool);
    deaf();
    world.pipedrive.updateDeal(known, { status: 'won' }, { at: ago(30) });
    world.pipedrive.updateDeal(moved, { stage_id: 13 }, { at: ago(29) });
    world.pipedrive.createDeal(DEMO_COMPANY_ID, { title: 'New and lost', status: 'lost' }, { at: ago(28) });
    const before = texts().length;

    await reconcile();
    await reconcile();

    expect(texts().length).toBe(before + 4);
    const [won] = about('Known and won').filter((text) => text.includes('Deal won'));
    expect(won).toContain('Late: happened ');
    expect(about('Known and moved').filter((text) => text.includes('Late: happened'))).toHaveLength(1);
    expect(about('New and lost').map((text) => text.includes('Late: happened'))).toEqual([true, true]);
  });
});

/** The tenant, its rules and what is known of its records are some hours old. */
async function installedLongAgo(pool: Pool): Promise<void> {
  await pool.query(`UPDATE tenants SET created_at = created_at - interval '5 hours'`);
  await pool.query(`UPDATE rules SET enabled_at = enabled_at - interval '5 hours'`);
  await pool.query(`UPDATE reconciliations SET since = since - interval '5 hours',
    compared_until = jsonb_build_object('deal', now() - interval '4 hours')`);
}

async function pastShadows(pool: Pool): Promise<void> {
  await pool.query(`UPDATE records SET occurred_at = occurred_at - interval '2 hours' WHERE occurred_at IS NOT NULL`);
  await pool.query(`UPDATE events SET occurred_at = occurred_at - interval '2 hours'`);
}
