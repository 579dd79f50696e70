/** A bulk edit of 5,000 deals that one rule tells in one space, with the quota on and the settle window that people get. */

import { randomUUID } from 'node:crypto';
import { makeDealEvents } from './deal-events';
import { driveLoad } from './drive-load';
import { figure, type Figure } from './figures';
import { authorizationOf } from './seed-tenants';
import { untilDrained, type Stage } from './stage';
import { webhookRequest } from './drive-load';

const DEALS = 5_000;
const CONCURRENCY = 50;
const SETTLE_MS = 1_500;
const DRAIN_LIMIT_MS = 60_000;

/** From the first webhook until the ledger owes nothing any more. */
export async function measureBulkEdit(stage: Stage): Promise<readonly Figure[]> {
  const app = await stage.startApp('postgres', { web: true, worker: true, isStrict: true, settleMs: SETTLE_MS });
  let messages = 0;
  let lastAtMs = 0;
  const stop = stage.strictChat.onRequest(({ status }) => {
    if (status !== 200) return;
    messages += 1;
    lastAtMs = performance.now();
  });
  try {
    const makeEvent = makeDealEvents('2 kB', DEALS, { correlationId: randomUUID() });
    const authorization = authorizationOf(0);
    let n = 0;
    const startedAtMs = performance.now();
    const nextRequest = (): string => webhookRequest(makeEvent(n++), authorization);
    await driveLoad({ port: app.port, concurrency: CONCURRENCY, requests: DEALS, nextRequest });
    const takenInMs = performance.now() - startedAtMs;
    await untilDrained(stage, app, DRAIN_LIMIT_MS);
    const [told] = await stage.ledger.query(
      app.databaseUrl,
      "SELECT count(*)::int AS n FROM deliveries WHERE state IN ('sent', 'folded')",
    );
    return [
      figure('bulk edit', `${DEALS} deals into one space: taken in within`, 's', [takenInMs / 1000]),
      figure('bulk edit', 'told completely after', 's', [(lastAtMs - startedAtMs) / 1000], 'at most 10'),
      figure('bulk edit', 'messages', '', [messages], 'at most 10'),
      figure('bulk edit', 'deals told', '', [Number(told?.['n'])], 'all 5,000'),
    ];
  } finally {
    stop();
    await app.stop();
    await stage.ledger.drop(app.databaseUrl);
  }
}
