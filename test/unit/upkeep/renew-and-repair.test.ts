import { pino } from 'pino';
import { AppError } from '../../../src/core/errors';
import { tenantId } from '../../../src/core/tenant';
import { makeRenewTokens } from '../../../src/upkeep/renew-tokens';
import { makeRepairWebhooks } from '../../../src/upkeep/repair-webhooks';

const log = pino({ level: 'silent' });
const now = new Date('2026-11-30T00:00:00Z');

describe('makeRenewTokens', () => {
  test('when one connection of three is refused, then the others are renewed, all being idle for 30 days', async () => {
    const asked: Date[] = [];
    const renewTokens = makeRenewTokens({
      listIdle: (before) => {
        asked.push(before);
        return Promise.resolve([1, 2, 3].map((id) => ({ id, tenantId: tenantId(9) })));
      },
      renew: (_tenantId, id) => (id === 2 ? Promise.reject(new AppError('connection_revoked', 'gone')) : Promise.resolve()),
      clock: () => now,
      log,
    });

    const report = await renewTokens();

    expect(report).toEqual({ renewed: 2, failed: 1 });
    expect(asked).toEqual([new Date('2026-10-31T00:00:00Z')]);
  });
});

describe('makeRepairWebhooks', () => {
  test('when one tenant throws and one had lost a webhook, then all are visited and the report says so', async () => {
    const repairWebhooks = makeRepairWebhooks({
      listInstalledTenants: () => Promise.resolve([1, 2, 3, 4].map(tenantId)),
      syncWebhooks: (tenant) => {
        if (tenant === 1) return Promise.reject(new Error('database away'));
        return Promise.resolve({ created: tenant === 2 ? ['deal'] : [], failed: tenant === 3 ? [{ object: 'list' }] : [] });
      },
      log,
    });

    expect(await repairWebhooks()).toEqual({ tenants: 4, repaired: 1, failed: 2 });
  });
});
