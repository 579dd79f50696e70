/** Exchange rates in the ledger: kept by currency with their date, read for one base alone. */

import { convert } from '../../../src/core/exchange-rates';
import { tenantId, type TenantId } from '../../../src/core/tenant';
import { loadRates, saveRates } from '../../../src/rules/exchange-rate.store';
import { useTestDatabase } from '../../support/test-database';
import { addTenant } from '../../support/tenant-row';

const testDatabase = useTestDatabase();
const MONDAY = new Date('2026-11-23T12:00:00Z');
const TUESDAY = new Date('2026-11-24T12:00:00Z');
let tenant: TenantId;

beforeEach(async () => {
  tenant = await addTenant(testDatabase.database);
});

function save(base: string, rates: Readonly<Record<string, number>>, asOf: Date, owner = tenant): Promise<void> {
  const perUnit = new Map(Object.entries(rates).map(([currency, rate]) => [currency, { rate, asOf }]));
  return saveRates(testDatabase.database.pool, owner, { base, perUnit });
}

function load(base: string, owner = tenant) {
  return testDatabase.database.transaction((client) => loadRates(client, owner, base));
}

test('when some rates are read anew, then they replace the old ones and the rest keeps its date', async () => {
  await save('EUR', { USD: 0.9, GBP: 1.2 }, MONDAY);
  await save('EUR', { USD: 0.95 }, TUESDAY);

  const rates = await load('EUR');

  expect(rates).toEqual({
    base: 'EUR',
    perUnit: new Map([
      ['USD', { rate: 0.95, asOf: TUESDAY }],
      ['GBP', { rate: 1.2, asOf: MONDAY }],
    ]),
  });
  expect(convert({ amount: 95, currency: 'EUR' }, 'USD', rates)).toBeCloseTo(100);
});

test('when an older reading arrives late, then the newer one stays', async () => {
  await save('EUR', { USD: 0.95 }, TUESDAY);
  await save('EUR', { USD: 0.9 }, MONDAY);

  expect((await load('EUR')).perUnit.get('USD')).toEqual({ rate: 0.95, asOf: TUESDAY });
});

test('when the base currency changed, then the old rates are not used and new ones take their place', async () => {
  await save('EUR', { USD: 0.9, GBP: 1.2 }, MONDAY);

  expect((await load('USD')).perUnit.size).toBe(0);

  await save('USD', { GBP: 1.3 }, TUESDAY);
  expect([...(await load('USD')).perUnit.keys()]).toEqual(['GBP']);
  expect([...(await load('EUR')).perUnit.keys()]).toEqual(['USD']);
});

test('when another tenant has rates, then they are not seen', async () => {
  await save('EUR', { USD: 0.9 }, MONDAY, await addTenant(testDatabase.database));

  expect((await load('EUR')).perUnit.size).toBe(0);
});

test('when the tenant is gone, then no rows of nobody are left', async () => {
  await save('EUR', { USD: 0.9 }, MONDAY, tenantId(999_999));

  expect((await testDatabase.database.pool.query('SELECT FROM records WHERE tenant_id = 999999')).rowCount).toBe(0);
});
