import { pino } from 'pino';
import { tenantId } from '../../../src/core/tenant';
import { makeFailOver } from '../../../src/install/fail-over';

describe('makeFailOver', () => {
  test('when a run fails, then it is over all the same and the next one is not hindered', async () => {
    const synced: number[] = [];
    const failOver = makeFailOver({
      syncWebhooks: (tenant) => {
        synced.push(tenant);
        return tenant === 1 ? Promise.reject(new Error('no')) : Promise.resolve();
      },
      log: pino({ level: 'silent' }),
    });

    failOver.start(tenantId(1));
    failOver.start(tenantId(2));
    await failOver.settled();

    expect(synced).toEqual([1, 2]);
  });
});
