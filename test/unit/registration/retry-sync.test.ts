/** Registration that did not succeed at once: tried again soon, one chain per tenant, given up at close. */

import { pino } from 'pino';
import { tenantId } from '../../../src/core/tenant';
import { makeRetryingSync } from '../../../src/registration/retry-sync';
import type { SyncReport } from '../../../src/registration/sync-webhooks';
import { waitUntil } from '../../support/wait-until';

const TENANT = tenantId(7);
const DONE: SyncReport = { ownerConnectionId: 1, created: ['deal'], kept: 0, removed: 0, failing: [], failed: [] };
const PARTLY: SyncReport = { ...DONE, failed: [{ object: 'lead', reason: 'HTTP 500' }] };

function makeSync(answers: readonly (SyncReport | Error)[], delaysMs: readonly number[]) {
  let calls = 0;
  const retrying = makeRetryingSync({
    syncWebhooks: () => {
      const answer = answers[calls] ?? DONE;
      calls += 1;
      return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
    },
    log: pino({ level: 'silent' }),
    delaysMs,
  });
  return { ...retrying, calls: () => calls };
}

test('when some webhooks fail, then registration is tried again until all stand', async () => {
  const sync = makeSync([PARTLY, PARTLY, DONE], [1, 1, 1]);

  const first = await sync.syncWebhooks(TENANT);
  await waitUntil('tried again', () => sync.calls() === 3);

  expect(first).toBe(PARTLY);
  sync.close();
});

test('when Pipedrive cannot be asked, then the caller hears of it and registration is tried again', async () => {
  const sync = makeSync([new Error('unreachable'), DONE], [1]);

  await expect(sync.syncWebhooks(TENANT)).rejects.toThrow('unreachable');
  await waitUntil('tried again', () => sync.calls() === 2);

  sync.close();
});

test('when all stand at once, or the delays are used up, then nothing is tried again', async () => {
  const well = makeSync([DONE], [1]);
  const ill = makeSync([PARTLY, PARTLY], []);

  await well.syncWebhooks(TENANT);
  await ill.syncWebhooks(TENANT);
  const other = makeSync([PARTLY, DONE], [1]);
  await other.syncWebhooks(TENANT);
  await waitUntil('tried again', () => other.calls() === 2);

  expect([well.calls(), ill.calls()]).toEqual([1, 1]);
});

test('when it is closed, then what was to be tried again is not', async () => {
  const sync = makeSync([PARTLY, DONE], [1]);
  await sync.syncWebhooks(TENANT);

  sync.close();
  const other = makeSync([PARTLY, DONE], [2]);
  await other.syncWebhooks(TENANT);
  await waitUntil('tried again', () => other.calls() === 2);

  expect(sync.calls()).toBe(1);
});

test('when webhooks were made anew, or the last event failed, then a gap is told, of each failure once', async () => {
  const failing = (at: string): SyncReport => ({
    ...{ ...DONE, created: [] },
    failing: [{ eventObject: 'deal', at, httpStatus: 503 }],
  });
  const answers = [DONE, failing('2026-11-26T12:00:00Z'), failing('2026-11-26T12:00:00Z'), failing('2026-11-26T13:00:00Z')];
  const told: string[] = [];
  const sync = makeRetryingSync({
    syncWebhooks: () => Promise.resolve(answers.shift() ?? { ...DONE, created: [] }),
    onGap: (_tenantId, because) => Promise.resolve(void told.push(because)),
    log: pino({ level: 'silent' }),
  });

  for (let time = 0; time < 5; time += 1) await sync.syncWebhooks(TENANT);

  const failed = 'Pipedrive’s last webhooks did not reach Dealbell (deal)';
  expect(told).toEqual(['webhooks had to be registered anew', failed, failed]);
});
