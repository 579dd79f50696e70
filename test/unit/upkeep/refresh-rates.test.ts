/** Exchange rates: out of Pipedrive's sums, read again at the right moments, and never a guess. */

import { pino } from 'pino';
import type { ExchangeRates } from '../../../src/core/exchange-rates';
import { tenantId, type TenantId } from '../../../src/core/tenant';
import { ratesOfSums, type CurrencySum } from '../../../src/upkeep/rates-of-sums';
import { makeRefreshRates } from '../../../src/upkeep/refresh-rates';

const NOW = new Date('2026-11-23T12:00:00Z');
const TENANT = tenantId(1);

function sum(currency: string, value: number, valueConverted: number | null): CurrencySum {
  return { currency, value, valueConverted };
}

describe('rates of sums', () => {
  const rates = (...sums: CurrencySum[]) =>
    Object.fromEntries([...ratesOfSums(sums, 'EUR', NOW).perUnit].map(([currency, { rate }]) => [currency, rate]));

  test.each([
    ['a sum and its conversion', [sum('EUR', 500, 500), sum('USD', 200, 180)], { USD: 0.9 }],
    ['a negative sum', [sum('USD', -200, -180)], { USD: 0.9 }],
    ['a sum of zero', [sum('USD', 0, 0)], {}],
    ['a currency that is not converted', [sum('XYZ', 100, null)], {}],
    ['a sum too small for a rate', [sum('JPY', 10, 0.06)], {}],
    ['signs that contradict each other', [sum('USD', 100, -90)], {}],
    ['a conversion into something else than the base', [sum('EUR', 100, 125), sum('USD', 80, 80)], { USD: 0.8 }],
    ['the base missing and another currency at par', [sum('USD', 80, 80), sum('GBP', 100, 130)], {}],
    ['no deals', [], {}],
  ])('when Pipedrive shows %s, then the rates are what can be known', (_name, sums, expected) => {
    expect(rates(...sums)).toEqual(expected);
  });
});

interface Given {
  readonly stored?: readonly string[];
  readonly answer?: () => ReturnType<Parameters<typeof makeRefreshRates>[0]['getDealsSummary']>;
}

function aRefresh({ stored = [], answer }: Given = {}) {
  const saved: ExchangeRates[] = [];
  let asked = 0;
  let nowMs = NOW.getTime();
  const known = new Map(stored.map((currency) => [currency, { rate: 0.5, asOf: NOW }]));
  const rates = makeRefreshRates({
    listInstalledTenants: () => Promise.resolve([1, 2, 3].map(tenantId)),
    findBaseCurrency: (id: TenantId) => (id === 3 ? Promise.reject(new Error('database away')) : Promise.resolve('EUR')),
    getDealsSummary: () => {
      asked += 1;
      return answer === undefined ? Promise.resolve({ ok: true, value: [sum('USD', 200, 180)] }) : answer();
    },
    loadRates: (_id, base) => Promise.resolve({ base, perUnit: known }),
    saveRates: (_id, read) => {
      saved.push(read);
      return Promise.resolve();
    },
    clock: () => new Date(nowMs),
    log: pino({ level: 'silent' }),
    patienceMs: 20,
  });
  const pass = (ms: number) => {
    nowMs += ms;
  };
  return { rates, saved, asked: () => asked, pass };
}

describe('reading the rates', () => {
  test('when they are read, then they are kept with their base and date', async () => {
    const { rates, saved } = aRefresh();

    expect(await rates.refresh(TENANT)).toBe(true);

    expect(saved).toEqual([{ base: 'EUR', perUnit: new Map([['USD', { rate: 0.9, asOf: NOW }]]) }]);
  });

  test.each([
    ['cannot be asked', () => Promise.resolve({ ok: false as const, failure: { reason: 'timeout' } })],
    ['has no connection left', () => Promise.resolve(null)],
    ['breaks', () => Promise.reject(new Error('bug'))],
    ['does not answer in time', () => new Promise<null>(() => undefined)],
  ])('when Pipedrive %s, then nothing is thrown or kept', async (_name, answer) => {
    const { rates, saved } = aRefresh({ answer });

    expect(await rates.refresh(TENANT)).toBe(false);
    expect(await rates.refreshLacking(TENANT, ['USD'])).toBe(false);

    expect(saved).toEqual([]);
  });

  test('when several ask at once, then Pipedrive is asked once', async () => {
    const { rates, asked } = aRefresh();

    expect(await Promise.all([rates.refresh(TENANT), rates.refresh(TENANT), rates.refresh(TENANT)])).toEqual([true, true, true]);

    expect(asked()).toBe(1);
  });

  test('when a tenant fails in the daily run, then the others are read', async () => {
    const { rates, saved } = aRefresh();

    expect(await rates.refreshAll()).toEqual({ tenants: 3, failed: 1 });
    expect(saved).toHaveLength(2);
  });
});

describe('a decision that lacked a rate', () => {
  test('when the rate is known by now, then it is worth deciding again and Pipedrive is not asked', async () => {
    const { rates, asked } = aRefresh({ stored: ['USD'] });

    expect(await rates.refreshLacking(TENANT, ['USD', 'EUR'])).toBe(true);

    expect(asked()).toBe(0);
  });

  test('when it was asked for in vain, then it is asked for again after one minute, then after two, and another currency at once', async () => {
    const { rates, asked, pass } = aRefresh();
    const lack = async (currency: string) => {
      const before = asked();
      await rates.refreshLacking(TENANT, [currency, 'EUR']);
      return asked() > before;
    };

    const first = [await lack('GBP'), await lack('GBP'), await lack('SEK')];
    pass(60_000);
    const second = [await lack('GBP'), await lack('GBP')];
    pass(60_000);
    const third = await lack('GBP');
    pass(60_000);
    const fourth = await lack('GBP');

    expect([first, second, third, fourth]).toEqual([[true, false, true], [true, false], false, true]);
  });

  test('when the rates were just read at the install, then a new lack is asked for all the same', async () => {
    const { rates, asked } = aRefresh();

    await rates.refresh(TENANT);
    await rates.refreshLacking(TENANT, ['GBP']);

    expect(asked()).toBe(2);
  });

  test('when the tenant cannot be read, then nothing is thrown', async () => {
    const { rates } = aRefresh();

    expect(await rates.refreshLacking(tenantId(3), ['GBP'])).toBe(false);
  });
});
