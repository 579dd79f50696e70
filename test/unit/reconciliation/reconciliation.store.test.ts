import { makeReconciliationStore, type RunEnd } from '../../../src/reconciliation/reconciliation.store';
import { addTenant } from '../../support/tenant-row';
import { useTestDatabase } from '../../support/test-database';

describe('makeReconciliationStore', () => {
  const testDatabase = useTestDatabase();
  const store = () => makeReconciliationStore(testDatabase.database.pool);
  const query = (sql: string, ...values: unknown[]) => testDatabase.database.pool.query(sql, values);

  const ended = (nextRunAt = new Date(Date.now() + 3_600_000)): RunEnd => ({
    ...{ comparedUntil: { deal: new Date(), archivedDeal: new Date() }, trouble: null, nextRunAt, stillWantedBecause: null },
  });

  beforeEach(() => testDatabase.clear());

  test('when several workers claim at once, then each due tenant is one worker’s, and again only when it is over', async () => {
    for (const _ of [1, 2, 3]) await addTenant(testDatabase.database);
    await store().enrol();
    expect(await store().want(null, 'an outage')).toBe(3);

    const claims = await Promise.all([1, 2, 3, 4, 5, 6].map(() => store().claim(60_000)));

    const claimed = claims.flatMap((due) => (due === null ? [] : [due.tenantId]));
    expect(new Set(claimed).size).toBe(3);
    expect(claimed).toHaveLength(3);
  });

  test('when a run is wanted while one is under way, then another follows', async () => {
    const id = await addTenant(testDatabase.database);
    await store().enrol();
    await store().want(id, 'first');
    await store().claim(60_000);

    await store().want(id, 'second');
    expect(await store().claim(60_000)).toBeNull();
    await store().finish(id, ended());

    expect(await store().claim(60_000)).toMatchObject({ tenantId: id, wantedBecause: 'second' });
  });

  test('when a run could not do what was wanted, then the next one is wanted for that; so is one whose worker was killed', async () => {
    const id = await addTenant(testDatabase.database);
    await store().enrol();
    await store().want(id, 'an outage');
    const because = async () => (await store().claim(60_000))?.wantedBecause;

    expect(await because()).toBe('an outage');
    await store().finish(id, { ...ended(new Date()), trouble: 'the budget is used up', stillWantedBecause: 'an outage' });
    expect(await because()).toBe('an outage');
    await query(`UPDATE reconciliations SET lease_until = now() - interval '1 second'`);
    expect(await because()).toBe('the last run was never finished');
    await store().finish(id, ended(new Date()));
    expect(await because()).toBeNull();
  });

  test('when some record is watched, then the lists of what its watch tells are wanted though no rule asks for them', async () => {
    const id = await addTenant(testDatabase.database);
    await store().enrol();
    await store().want(id, 'first');
    await query(
      `WITH place AS (INSERT INTO chat_webhooks (tenant_id, name, space_id, sealed_credentials, credentials_digest, updated_at)
                      VALUES ($1, 'Wins', 'A', 'sealed', '', now()) RETURNING id)
       INSERT INTO watches (tenant_id, entity, entity_id, chat_webhook_id, author) SELECT $1, 'deal', '7', id, 'Ana' FROM place`,
      id,
    );

    expect((await store().claim(60_000))?.wantedTypes).toEqual(['activity.completed', 'note.created', 'deal.archived']);
  });

  test('when a newer version has compared a list that this one does not know, then the others are compared, and its mark stays', async () => {
    const id = await addTenant(testDatabase.database);
    await store().enrol();
    await store().want(id, 'first');
    const [mark, later] = [new Date('2026-11-25T08:00:00Z'), new Date('2026-11-25T09:00:00Z')];
    await query(`UPDATE reconciliations SET compared_until = $1`, JSON.stringify({ deal: mark, note: mark, product: mark }));

    const due = await store().claim(60_000);
    await store().finish(id, { ...ended(), comparedUntil: { deal: later, note: mark } });

    expect(due).toMatchObject({ tenantId: id, comparedUntil: { deal: mark, note: mark } });
    expect((await query('SELECT compared_until AS marks FROM reconciliations')).rows).toEqual([
      { marks: { deal: later.toJSON(), note: mark.toJSON(), product: mark.toJSON() } },
    ]);
  });

  test('when the worker of a claim was killed, then its lease runs out and another one takes the tenant', async () => {
    const id = await addTenant(testDatabase.database);
    await store().enrol();
    await store().want(id, 'first');
    await store().claim(60_000);
    await query(`UPDATE reconciliations SET lease_until = now() - interval '1 second'`);

    expect((await store().claim(60_000))?.tenantId).toBe(id);
  });

  test('when a tenant slept and came back, then what happened meanwhile is the past', async () => {
    const id = await addTenant(testDatabase.database);
    await store().enrol();
    await query(`UPDATE tenants SET created_at = now() - interval '90 days', uninstalled_at = now() - interval '1 day'`);
    await query(`UPDATE reconciliations SET since = now() - interval '90 days'`);
    await store().enrol();
    expect(await store().status(id)).toBeNull();

    await query('UPDATE tenants SET uninstalled_at = NULL');
    await store().enrol();

    const since = (await store().status(id))?.since.getTime() ?? 0;
    expect(Date.now() - since).toBeLessThan(60_000);
  });
});
