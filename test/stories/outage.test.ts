/** A real PostgreSQL that is stopped while deals are won: Pipedrive bans the webhook, and what it never sent is told late, in few messages. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { Pool } from 'pg';
import { applyMigrations } from '../../prisma/migrate';
import { startEmbeddedPostgres, type EmbeddedPostgres } from '../../src/platform/embedded-postgres';
import { makeQueues, type Queues } from '../../src/platform/queues';
import { addRule, connectChannel, visibleText } from '../support/channel';
import { freePort } from '../support/free-port';
import { ledgerAtRest } from '../support/ledger-at-rest';
import { installedLongAgo, pastShadows } from '../support/long-ago';
import { waitUntil } from '../support/wait-until';
import { startWorld, type World } from '../support/world';
import { newDeal } from './tellings';

/** Ten of them fail and bring the ban, the rest falls into it. */
const WINS = 14;
const AGO_MS = 30 * 60_000;

describe('An outage of some seconds', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'dealbell-outage-'));
  let port: number;
  let postgres: EmbeddedPostgres;
  let pool: Pool;
  let queues: Queues;
  let world: World;

  beforeAll(async () => {
    port = await freePort();
    postgres = await startEmbeddedPostgres({ dataDir, port });
    const databaseUrl = postgres.connectionString;
    await applyMigrations({ connectionString: databaseUrl });
    pool = new Pool({ connectionString: databaseUrl });
    pool.on('error', () => undefined);
    queues = makeQueues({ databaseUrl, redisUrl: null, log: pino({ level: 'silent' }) });
    world = await startWorld({ databaseUrl, pipedrive: { retryDelaysMs: [50, 100, 200] }, config: { apiRateLimit: 1_000_000 } });
  }, 90_000);
  afterAll(async () => {
    await world.close();
    await queues.close();
    await pool.end();
    await postgres.stop();
    rmSync(dataDir, { recursive: true, force: true });
  });

  const isCompared = async (): Promise<boolean> => {
    const { rowCount } = await pool.query(
      'SELECT FROM reconciliations WHERE last_finished_at IS NOT NULL AND lease_until IS NULL',
    );
    return rowCount === 1;
  };

  test('when PostgreSQL was stopped and the webhook banned meanwhile, then the repair finds out, and all that was won is told late', async () => {
    const token = await world.install();
    const channel = await connectChannel(world, token, 'Wins');
    await world.api('POST', '/reconciliation', token);
    await waitUntil('it has been compared', isCompared);
    await addRule(world, token, 'deal.won', channel);
    const deals: number[] = [];
    for (let index = 1; index <= WINS; index += 1) deals.push(await newDeal(world, `Outage deal ${index}.`));
    await ledgerAtRest(world, pool);
    await installedLongAgo(pool);
    await pastShadows(pool);
    // Nobody's turn for an hour: who compares before was told to.
    await pool.query(`UPDATE reconciliations SET last_finished_at = NULL, next_run_at = now() + interval '1 hour'`);

    await postgres.stop();
    const win = (id: number) => world.pipedrive.updateDeal(id, { status: 'won' }, { at: new Date(Date.now() - AGO_MS) });
    deals.slice(0, 10).forEach(win);
    await world.pipedrive.idle();
    deals.slice(10).forEach(win);
    const lost = world.pipedrive.lost.length;
    postgres = await startEmbeddedPostgres({ dataDir, port });
    await waitUntil('the database is back', async () => (await world.api('GET', '/health', null)).status === 200);
    world.pipedrive.liftBans();
    // As every hour; rung until it is heard, since the queue has to come back too.
    await waitUntil('it is compared anew', async () => {
      queues.queue('upkeep').ring('repair-webhooks', { key: 'repair-webhooks' });
      return await isCompared();
    });
    await ledgerAtRest(world, pool);

    const texts = world.chat.messages(channel.spaceId).map(visibleText);
    expect(lost).toBe(WINS - 10);
    for (let index = 1; index <= WINS; index += 1)
      expect(texts.filter((text) => text.includes(`Outage deal ${index}.`))).toHaveLength(1);
    expect(texts.length).toBeLessThanOrEqual(3);
    expect(texts.every((text) => /told late|Late: happened/.test(text))).toBe(true);
    const { body } = await world.api('GET', '/reconciliation', token);
    expect(body.summary).toContain(`${WINS} won, ${WINS} told, ${WINS} late`);
    expect(body.reason).toBeNull();
  });
});
