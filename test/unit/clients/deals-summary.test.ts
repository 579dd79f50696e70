/** `deals/summary` as Pipedrive answers it, and as it might. */

import nock from 'nock';
import { pino } from 'pino';
import { makePipedriveApi } from '../../../src/clients/pipedrive-api';

const ORIGIN = 'https://acme.pipedrive.test';
const log = pino({ level: 'silent' });

function summaryOf(status: number, body: object | string) {
  nock(ORIGIN, { reqheaders: { authorization: 'Bearer t1' } })
    .get('/api/v1/deals/summary')
    .reply(status, body);
  const credential = { kind: 'oauth', accessToken: () => Promise.resolve('t1') } as const;
  return makePipedriveApi({ apiOrigin: ORIGIN, credential, patience: 'lookUp', log, timeoutMs: 10_000 }).getDealsSummary();
}

beforeAll(() => nock.disableNetConnect());
afterEach(() => {
  expect(nock.pendingMocks()).toEqual([]);
  nock.cleanAll();
});
afterAll(() => {
  nock.enableNetConnect();
  nock.restore();
});

test('when there are deals in two currencies, then each has its sum and what that is in the company’s own', async () => {
  const answer = await summaryOf(200, {
    success: true,
    data: {
      values_total: {
        EUR: { value: 10, count: 2, value_converted: 11.1, value_formatted: '€10', value_converted_formatted: 'US$11.10' },
        USD: { value: 30, count: 3, value_converted: 30, value_formatted: 'US$30', value_converted_formatted: 'US$3' },
      },
      total_count: 5,
      total_currency_converted_value: 41.1,
    },
  });

  expect(answer).toEqual({
    ok: true,
    value: [
      { currency: 'EUR', value: 10, valueConverted: 11.1 },
      { currency: 'USD', value: 30, valueConverted: 30 },
    ],
  });
});

test.each([
  ['an empty list for no deals', { values_total: [] }, []],
  ['null for no deals', { values_total: null }, []],
  ['no sums at all', {}, []],
  ['numbers as texts', { values_total: { SEK: { value: '10', value_converted: '0.9' } } }, [['SEK', 10, 0.9]]],
  ['no converted sum', { values_total: { XYZ: { value: 10 } } }, [['XYZ', 10, null]]],
  ['shapes that nobody knows', { values_total: { EUR: null, USD: { value: {} }, 'a b': { value: 1 } } }, []],
])('when Pipedrive answers with %s, then what is there is read', async (_name, data, expected) => {
  const answer = await summaryOf(200, { success: true, data });

  expect(answer).toEqual({
    ok: true,
    value: expected.map(([currency, value, valueConverted]) => ({ currency, value, valueConverted })),
  });
});

test.each([
  ['the scope is missing', 403, { success: false, error: 'Scope and URL mismatch', errorCode: 403 }, 'forbidden'],
  ['the budget is used up', 429, { success: false, error: 'request over limit' }, 'rateLimited'],
  ['the answer is a page', 200, '<html>maintenance</html>', 'unreachable'],
  ['there is no answer in it', 200, { success: true, data: null }, 'unreachable'],
])('when %s, then that is the failure', async (_name, status, body, kind) => {
  expect(await summaryOf(status, body)).toMatchObject({ ok: false, failure: { kind } });
});
