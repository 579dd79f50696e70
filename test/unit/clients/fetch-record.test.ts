import nock from 'nock';
import { pino } from 'pino';
import { makeFetchRecord, type FetchedEntity } from '../../../src/clients/fetch-record';
import { makePipedriveApi } from '../../../src/clients/pipedrive-api';
import type { RecordState } from '../../../src/core/record';
import { tenantId } from '../../../src/core/tenant';

const ORIGIN = 'https://acme.pipedrive.test';
const log = pino({ level: 'silent' });
const TENANT = tenantId(7);
const OTHER_TENANT = tenantId(8);

function setUp({ isConnected = true } = {}) {
  const api = makePipedriveApi({
    apiOrigin: ORIGIN,
    credential: { kind: 'apiToken', apiToken: 'k' },
    patience: 'lookUp',
    log,
    timeoutMs: 10_000,
  });
  const kept: [FetchedEntity, number][] = [];
  let nowMs = Date.parse('2026-11-01T10:00:00Z');
  const fetchRecord = makeFetchRecord({
    apiOf: () => Promise.resolve(isConnected ? api : null),
    keepAll: (_tenantId, entity, states: readonly RecordState[]) => {
      kept.push([entity, states.length]);
      return Promise.resolve();
    },
    clock: () => new Date(nowMs),
    log,
  });
  return { fetchRecord, kept, pass: (ms: number) => (nowMs += ms) };
}

beforeAll(() => {
  nock.disableNetConnect();
});
afterEach(() => {
  expect(nock.pendingMocks()).toEqual([]);
  nock.cleanAll();
});
afterAll(() => {
  nock.enableNetConnect();
  nock.restore();
});

describe('makeFetchRecord', () => {
  test.each<[FetchedEntity, string, string, object, object]>([
    ['user', '9', '/api/v1/users/9', { id: 9, name: 'Alice', phone: '123' }, { id: 9, name: 'Alice' }],
    ['pipeline', '1', '/api/v2/pipelines/1', { id: 1, name: 'Sales' }, { id: 1, name: 'Sales', active_flag: true }],
    ['stage', '5', '/api/v2/stages/5', { id: 5, name: 'Won over' }, { id: 5, name: 'Won over', active_flag: true }],
    ['person', '3', '/api/v2/persons/3', { id: 3, name: 'Bob' }, { id: 3, name: 'Bob' }],
    ['organization', '4', '/api/v2/organizations/4', { id: 4, name: 'Acme' }, { id: 4, name: 'Acme' }],
    ['deal', '6', '/api/v2/deals/6', { id: 6, title: 'Big' }, { id: 6, title: 'Big' }],
    ['lead', 'a-b', '/api/v1/leads/a-b', { id: 'a-b', title: 'Lead' }, { id: 'a-b', title: 'Lead' }],
    [
      'dealField',
      'label_ids',
      '/api/v2/dealFields/label_ids',
      { field_code: 'label_ids', field_name: 'Labels', field_type: 'set', options: [{ id: 1, label: 'Hot' }] },
      { id: 'label_ids', name: 'Labels', field_type: 'set', options: [{ id: 1, label: 'Hot' }] },
    ],
  ])('when a %s is asked for, then its state has the names of webhooks', async (entity, id, path, answered, state) => {
    nock(ORIGIN).get(path).reply(200, { success: true, data: answered });

    expect(await setUp().fetchRecord(TENANT, entity, id)).toEqual(state);
  });

  test('when the single one fails, then the whole list is read, kept, and read again only after a minute', async () => {
    const { fetchRecord, kept, pass } = setUp();
    nock(ORIGIN)
      .get(/\/api\/v1\/users\/\d+$/)
      .times(3)
      .reply(403, { error: 'no' });
    nock(ORIGIN)
      .get('/api/v1/users')
      .twice()
      .reply(200, {
        data: [
          { id: 1, name: 'Alice' },
          { id: 2, name: 'Ben' },
        ],
      });

    const first = await fetchRecord(TENANT, 'user', '1');
    const fromSameList = await fetchRecord(TENANT, 'user', '2');
    pass(60_001);
    const unknown = await fetchRecord(TENANT, 'user', '99');

    expect([first, fromSameList, unknown]).toEqual([{ id: 1, name: 'Alice' }, { id: 2, name: 'Ben' }, null]);
    expect(kept).toEqual([
      ['user', 2],
      ['user', 2],
    ]);
  });

  test('when activity types are asked for at once, then one list answers them all', async () => {
    const { fetchRecord } = setUp();
    nock(ORIGIN)
      .get('/api/v1/activityTypes')
      .reply(200, {
        data: [
          { id: 4, key_string: 'call', name: 'Call' },
          { id: 5, key_string: 'lunch', name: 'Lunch' },
        ],
      });

    const found = await Promise.all(['call', 'lunch', 'other'].map((key) => fetchRecord(TENANT, 'activityType', key)));

    expect(found).toMatchObject([{ id: 'call', name: 'Call' }, { id: 'lunch', name: 'Lunch' }, null]);
  });

  test('when the same record is asked for twice at once, then Pipedrive is asked once', async () => {
    const { fetchRecord } = setUp();
    nock(ORIGIN)
      .get('/api/v2/deals/6')
      .reply(200, { data: { id: 6 } });

    expect(await Promise.all([fetchRecord(TENANT, 'deal', '6'), fetchRecord(TENANT, 'deal', '6')])).toEqual([
      { id: 6 },
      { id: 6 },
    ]);
  });

  test('when Pipedrive asks to wait, then nobody of that tenant asks until then', async () => {
    const { fetchRecord, pass } = setUp();
    nock(ORIGIN).get('/api/v2/stages/5').reply(429, {}, { 'retry-after': '30' });
    const limited = await fetchRecord(TENANT, 'stage', '5');

    const meanwhile = await fetchRecord(TENANT, 'deal', '6');
    nock(ORIGIN)
      .get('/api/v2/deals/6')
      .twice()
      .reply(200, { data: { id: 6 } });
    const ofOther = await fetchRecord(OTHER_TENANT, 'deal', '6');
    pass(30_001);
    const later = await fetchRecord(TENANT, 'deal', '6');

    expect([limited, meanwhile, ofOther, later]).toEqual([null, null, { id: 6 }, { id: 6 }]);
  });

  test.each<[string, FetchedEntity, string]>([
    ['an id that is no number', 'deal', '6/../../users'],
    ['zero', 'user', '0'],
  ])('when %s is asked for, then Pipedrive is not', async (_name, entity, id) => {
    expect(await setUp().fetchRecord(TENANT, entity, id)).toBeNull();
  });

  test('when the tenant has no connection, or Pipedrive breaks off, then it is null', async () => {
    nock(ORIGIN).get('/api/v2/deals/6').replyWithError('reset');

    expect(await setUp({ isConnected: false }).fetchRecord(TENANT, 'deal', '6')).toBeNull();
    expect(await setUp().fetchRecord(TENANT, 'deal', '6')).toBeNull();
  });
});
