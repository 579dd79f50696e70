/** References in the ledger: whole lists kept with what they lack, and read for many rules at once. */

import type { RecordState } from '../../../src/core/record';
import type { TenantId } from '../../../src/core/tenant';
import { makeReferenceRecordStore } from '../../../src/install/reference-record.store';
import { loadReferences } from '../../../src/rules/reference.store';
import { useTestDatabase } from '../../support/test-database';
import { addRecord, addTenant } from '../../support/tenant-row';

const testDatabase = useTestDatabase();
const MONDAY = new Date('2026-11-23T12:00:00Z');
const TUESDAY = new Date('2026-11-24T12:00:00Z');
let tenant: TenantId;

beforeEach(async () => {
  tenant = await addTenant(testDatabase.database);
});

function readList(entity: string, states: readonly RecordState[], readAt = MONDAY): Promise<void> {
  return makeReferenceRecordStore(testDatabase.database).saveAll(tenant, entity, states, readAt);
}

async function stages(...ids: readonly number[]): Promise<Record<string, string>> {
  const wanted = ids.map((id) => ({ entity: 'stage' as const, id: String(id) }));
  const known = await loadReferences(testDatabase.database.pool, tenant, wanted);
  const words = ids.map((id) => {
    const found = known.find('stage', id);
    return [`${id}`, found === null ? 'unknown' : (found.gone ?? found.name ?? '')];
  });
  return { ...Object.fromEntries(words), list: known.isListed('stage') ? 'read' : 'not read' };
}

test('when a list was read for a tenant that is erased meanwhile, then no row of nobody is left', async () => {
  await testDatabase.database.pool.query('DELETE FROM tenants WHERE id = $1', [tenant]);

  await readList('stage', [{ id: 1, name: 'Open' }]);

  expect((await testDatabase.database.pool.query('SELECT FROM records WHERE tenant_id = $1', [tenant])).rowCount).toBe(0);
});

test('when a list was read, then its records are known by their own tenant, with options and types', async () => {
  await readList('dealField', [{ id: 'label_ids', name: 'Label', field_type: 'set', options: [{ id: 3, label: 'Hot' }] }]);

  const wanted = [{ entity: 'dealField', id: 'label_ids' }] as const;
  const known = await loadReferences(testDatabase.database.pool, tenant, wanted);
  const foreign = await loadReferences(testDatabase.database.pool, await addTenant(testDatabase.database), wanted);

  expect(known.find('dealField', 'label_ids')).toEqual({
    ...{ name: 'Label', gone: null, fieldType: 'set', options: new Map([['3', 'Hot']]) },
  });
  expect([known.isListed('dealField'), known.isListed('stage')]).toEqual([true, false]);
  expect([foreign.find('dealField', 'label_ids'), foreign.isListed('dealField')]).toEqual([null, false]);
});

test('when only an event told of a stage, then the list does not count as read', async () => {
  await addRecord(testDatabase.database, tenant, { entity: 'stage', id: 4, state: { name: 'Offer' }, occurredAt: MONDAY });

  expect(await stages(4, 5)).toEqual({ 4: 'Offer', 5: 'unknown', list: 'not read' });
});

test('when a later list lacks a record, then it is deleted, unless an event told of it after the reading', async () => {
  await readList('stage', [
    { id: 4, name: 'Offer' },
    { id: 5, name: 'Talks' },
  ]);
  await addRecord(testDatabase.database, tenant, { entity: 'stage', id: 6, state: { name: 'New' }, occurredAt: TUESDAY });
  await readList('stage', [{ id: 4, name: 'Offer' }], new Date(TUESDAY.getTime() - 1));

  expect(await stages(4, 5, 6)).toEqual({ 4: 'Offer', 5: 'deleted', 6: 'New', list: 'read' });

  await readList(
    'stage',
    [
      { id: 4, name: 'Offer' },
      { id: 5, name: 'Talks' },
      { id: 6, name: 'New' },
    ],
    TUESDAY,
  );
  expect(await stages(5)).toEqual({ 5: 'Talks', list: 'read' });
});

test('when an event deleted a record, then an older list does not bring it back', async () => {
  await addRecord(testDatabase.database, tenant, {
    ...{ entity: 'stage', id: 4, state: { name: 'Offer' }, occurredAt: TUESDAY, deletedAt: TUESDAY },
  });
  await readList('stage', [{ id: 4, name: 'Offer' }]);

  expect(await stages(4)).toEqual({ 4: 'deleted', list: 'read' });
});

test('when a list is empty, then it is not believed', async () => {
  await readList('stage', [{ id: 4, name: 'Offer' }]);
  await readList('stage', [], TUESDAY);

  expect(await stages(4)).toEqual({ 4: 'Offer', list: 'read' });
});

test('when a list of users lacks one, then nobody is declared gone', async () => {
  await readList('user', [
    { id: 9, name: 'Ana' },
    { id: 10, name: 'Bo' },
  ]);
  await readList('user', [{ id: 9, name: 'Ana' }], TUESDAY);

  const known = await loadReferences(testDatabase.database.pool, tenant, [{ entity: 'user', id: '10' }]);

  expect(known.find('user', 10)?.gone).toBeNull();
});
