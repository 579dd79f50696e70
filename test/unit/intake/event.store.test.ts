import { tenantId } from '../../../src/core/tenant';
import type { NewEvent } from '../../../src/intake/accept-event';
import { makeEventStore } from '../../../src/intake/event.store';
import { addTenant } from '../../support/tenant-row';
import { useTestDatabase } from '../../support/test-database';

describe('makeEventStore', () => {
  const testDatabase = useTestDatabase();

  const anEvent = (owner: number, entityId: string): NewEvent => ({
    tenantId: tenantId(owner),
    event: { entity: 'deal', entityId, action: 'change', occurredAt: new Date('2026-11-01T10:00:00Z'), metaId: 'm' },
    payload: Buffer.from(`{"id":${entityId}}`),
    ignoredReason: null,
  });

  test('when a tenant is gone, then its event is an orphan, and the others of the same statement are as they were', async () => {
    const tenant = await addTenant(testDatabase.database);
    const store = makeEventStore(testDatabase.database.pool);
    await store.insert(anEvent(tenant, '1'));

    const insertions = await Promise.all([
      ...['1', '2', '2'].map((id) => store.insert(anEvent(tenant, id))),
      store.insert(anEvent(tenant + 1_000, '1')),
    ]);

    const { rows } = await testDatabase.database.pool.query('SELECT tenant_id, entity_id, payload FROM events ORDER BY id');
    expect(insertions).toEqual(['duplicate', 'accepted', 'duplicate', 'orphan']);
    expect(rows).toEqual([
      { tenant_id: tenant, entity_id: '1', payload: Buffer.from('{"id":1}') },
      { tenant_id: tenant, entity_id: '2', payload: Buffer.from('{"id":2}') },
    ]);
  });
});
