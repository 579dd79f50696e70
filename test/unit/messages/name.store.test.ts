import { tenantId, type TenantId } from '../../../src/core/tenant';
import { makeNameStore } from '../../../src/messages/name.store';
import type { RecordState } from '../../../src/core/record';
import { useTestDatabase } from '../../support/test-database';

const test = useTestDatabase();

async function aTenantRow(companyId: number): Promise<TenantId> {
  const tenant = await test.database.prisma.tenant.create({
    data: {
      publicId: `00000000-0000-4000-8000-${String(companyId).padStart(12, '0')}`,
      companyId,
      companyName: 'Acme',
      companyDomain: 'acme',
      locale: 'en_US',
      timeZone: 'UTC',
      baseCurrency: 'EUR',
      sealedSigningSecret: 'sealed',
    },
  });
  return tenantId(tenant.id);
}

async function anEventWrote(tenant: TenantId, entity: string, entityId: string, state: RecordState): Promise<void> {
  await test.database.pool.query(
    'INSERT INTO records (tenant_id, entity, entity_id, state, occurred_at) VALUES ($1, $2, $3, $4, now())',
    [tenant, entity, entityId, JSON.stringify(state)],
  );
}

beforeEach(async () => {
  await test.clear();
});

describe('names in the ledger', () => {
  it('when a name was fetched for a tenant that is erased meanwhile, then no row of nobody is left', async () => {
    const gone = tenantId(999_999);

    await makeNameStore(test.database).saveFetched(gone, 'stage', '12', { name: 'Contract sent' });

    expect((await test.database.pool.query('SELECT FROM records WHERE tenant_id = $1', [gone])).rowCount).toBe(0);
  });

  it('when names were fetched, they are found with what belongs to them, and only by their own tenant', async () => {
    const [mine, other] = [await aTenantRow(1), await aTenantRow(2)];
    const store = makeNameStore(test.database);
    await store.saveFetched(mine, 'stage', '12', { name: 'Contract sent', pipeline_id: 1, order_nr: 4 });
    await store.saveFetched(mine, 'dealField', 'label_ids', {
      field_name: 'Label',
      field_type: 'set',
      options: [{ id: 24, label: 'Hot' }],
    });

    const found = await store.findNames([
      { tenantId: mine, entity: 'stage', id: '12' },
      { tenantId: mine, entity: 'dealField', id: 'label_ids' },
      { tenantId: other, entity: 'stage', id: '12' },
      { tenantId: mine, entity: 'user', id: '999' },
    ]);

    const byId = new Map(found.map((name) => [name.id, name]));
    expect(found).toHaveLength(2);
    expect(byId.get('12')).toMatchObject({
      tenantId: mine,
      isFromApi: true,
      named: { name: 'Contract sent', pipelineId: '1', position: 4 },
    });
    expect(byId.get('label_ids')?.named.options.get('24')).toBe('Hot');
  });

  it('when an event has written a record, a fetched state does not replace it', async () => {
    const tenant = await aTenantRow(1);
    const store = makeNameStore(test.database);
    await anEventWrote(tenant, 'deal', '8', { title: 'From the event', stage_id: 5 });

    await store.saveFetched(tenant, 'deal', '8', { title: 'From the API', stage_id: 4 });

    const row = await test.database.prisma.record.findFirstOrThrow({
      where: { tenantId: tenant, entity: 'deal', entityId: '8' },
    });
    expect(row.state).toEqual({ title: 'From the event', stage_id: 5 });
  });

  it('when an event has written a record without a name, it is given its name and nothing else', async () => {
    const tenant = await aTenantRow(1);
    const store = makeNameStore(test.database);
    await anEventWrote(tenant, 'deal', '8', { title: null, stage_id: 5 });

    await store.saveFetched(tenant, 'deal', '8', { title: 'From the API', stage_id: 4, value: 9 });

    const row = await test.database.prisma.record.findFirstOrThrow({
      where: { tenantId: tenant, entity: 'deal', entityId: '8' },
    });
    expect(row.state).toEqual({ title: 'From the API', stage_id: 5 });
    expect(row.occurredAt).not.toBeNull();
  });

  it('when a fetched record is fetched again, the newer state stands', async () => {
    const tenant = await aTenantRow(1);
    const store = makeNameStore(test.database);
    await store.saveFetched(tenant, 'user', '1', { name: 'Ana' });

    await store.saveFetched(tenant, 'user', '1', { name: 'Ana\u0000 Silva\uD800' });

    const [found] = await store.findNames([{ tenantId: tenant, entity: 'user', id: '1' }]);
    expect(found?.named.name).toBe('Ana Silva');
  });
});
