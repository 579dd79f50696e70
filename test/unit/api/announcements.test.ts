/** `/mutes` and `/announcements` over HTTP, on a real database. */

import { randomUUID } from 'node:crypto';
import { loadRules } from '../../../src/rules/rule.store';
import { useTestDatabase } from '../../support/test-database';
import { useApi } from '../../support/use-api';

const testDatabase = useTestDatabase();
const api = useApi(testDatabase, {
  fetchRecord: (_tenantId, entity, id) =>
    Promise.resolve(entity === 'deal' && id === '99' ? { id: 99, title: 'Only at Pipedrive' } : null),
});
const { call } = api;
let space: number;

beforeEach(async () => {
  space = await api.addDestination();
  await testDatabase.database.pool.query(
    `INSERT INTO records (tenant_id, entity, entity_id, state, occurred_at) VALUES ($1, 'deal', '7', $2, now())`,
    [api.tenant.id, JSON.stringify({ id: 7, title: 'Acme licence' })],
  );
});

async function deliveries(): Promise<
  readonly { state: string; transition: unknown; record: unknown; state_reason: string | null }[]
> {
  const { rows } = await testDatabase.database.pool.query(
    'SELECT state, transition, record, state_reason FROM deliveries WHERE tenant_id = $1 ORDER BY id',
    [api.tenant.id],
  );
  return rows;
}

describe('announcements', () => {
  it('owes a message that says who announced what, and puts it among the events', async () => {
    const records = [{ entity: 'deal', entityId: '7' }];
    const answer = await call('post', '/announcements').send({ records, chatWebhookId: space, note: 'Signed!' }).expect(202);

    expect(answer.body).toMatchObject({ queued: 1, deliveryIds: [expect.any(Number)] });
    expect(await deliveries()).toMatchObject([
      { state: 'queued', record: { title: 'Acme licence' }, transition: { announcement: { note: 'Signed!' } } },
    ]);
    const { body } = await call('get', '/events?entity=deal&entityId=7').expect(200);
    expect(body.items).toMatchObject([{ action: 'announce', transitions: [] }]);
    const audit = await call('get', '/audit').expect(200);
    expect(audit.body.items[0]).toMatchObject({ action: 'record.announced', subject: 'deal 7 “Acme licence”' });
  });

  it('announces once for one key, however often it is asked', async () => {
    const body = { records: [{ entity: 'deal', entityId: '7' }], chatWebhookId: space, key: randomUUID() };

    const answers = await Promise.all([1, 2, 3].map(() => call('post', '/announcements').send(body).expect(202)));

    expect(answers.map((answer) => answer.body.queued).sort()).toEqual([0, 0, 1]);
    expect(await deliveries()).toHaveLength(1);
  });

  it('asks Pipedrive for a record that was never heard of', async () => {
    await call('post', '/announcements')
      .send({ records: [{ entity: 'deal', entityId: '99' }], chatWebhookId: space })
      .expect(202);

    expect(await deliveries()).toMatchObject([{ record: { title: 'Only at Pipedrive' } }]);
  });

  it.each([
    ['a record that nobody knows', { records: [{ entity: 'deal', entityId: '8' }] }, 404, /no deal of this id/],
    ['an id that cannot be', { records: [{ entity: 'deal', entityId: '8; DROP' }] }, 422, /Pipedrive’s id/],
    ['a note that is too long', { records: [{ entity: 'deal', entityId: '7' }], note: 'x'.repeat(2001) }, 422, /at most 2000/],
    ['no record', { records: [] }, 422, /at least one/],
    ['a field that is not known', { records: [{ entity: 'deal', entityId: '7' }], loud: true }, 422, /loud/],
  ])('refuses %s, and owes nothing', async (_name, fields, status, words) => {
    const answer = await call('post', '/announcements')
      .send({ chatWebhookId: space, ...fields })
      .expect(status);

    expect(answer.body.detail).toMatch(words);
    expect(await deliveries()).toEqual([]);
  });

  it('refuses the space of another company', async () => {
    const other = await api.addTenant();

    const answer = await api
      .call('post', '/announcements', other)
      .send({ records: [{ entity: 'deal', entityId: '7' }], chatWebhookId: space })
      .expect(422);

    expect(answer.body.errors).toMatchObject([{ path: 'chatWebhookId' }]);
  });
});

describe('mutes', () => {
  it('tells the router, drops what waits, and ends when it is taken away', async () => {
    await call('post', '/announcements')
      .send({ records: [{ entity: 'deal', entityId: '7' }], chatWebhookId: space })
      .expect(202);

    const { body: mute } = await call('post', '/mutes').send({ entity: 'deal', entityId: '7' }).expect(201);
    await call('post', '/mutes').send({ entity: 'deal', entityId: '7' }).expect(201);

    expect((await call('get', '/mutes?entity=deal&entityId=7').expect(200)).body.items).toMatchObject([{ id: mute.id }]);
    expect(await deliveries()).toMatchObject([{ state: 'dropped', state_reason: 'The record was muted.' }]);
    const muted = async () => (await testDatabase.database.transaction((client) => loadRules(client, api.tenant.id))).muted;
    expect(await muted()).toEqual([{ entity: 'deal', entityId: '7' }]);
    await call('delete', `/mutes/${mute.id}`).expect(204);
    await call('delete', `/mutes/${mute.id}`).expect(404);
    expect(await muted()).toEqual([]);
  });

  it('keeps the mutes of companies apart', async () => {
    const { body: mute } = await call('post', '/mutes').send({ entity: 'deal', entityId: '7' }).expect(201);
    const other = await api.addTenant();

    await call('delete', `/mutes/${mute.id}`, other).expect(404);

    expect((await call('get', '/mutes', other).expect(200)).body.items).toEqual([]);
  });
});
