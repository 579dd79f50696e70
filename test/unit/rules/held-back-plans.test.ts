/** What the look for messages of watches that were not told reads, where the company has many messages. */

import { loadHeldBack } from '../../../src/rules/held-back.store';
import { useTestDatabase } from '../../support/test-database';
import { useLedger } from '../../support/use-ledger';
import { readingMore, usePlans } from '../../support/use-plans';

const HISTORY = 20_000;
const FEW = 20;
const WATCH_ID = 7;

const testDatabase = useTestDatabase();
const ledger = useLedger(testDatabase);
const openPlanned = usePlans(testDatabase);

test('when a company has had many messages, then it is asked for those of the record alone', async () => {
  await ledger.addDestination();
  await ledger.addDelivery({ id: 1, state: 'sent', finished_at: new Date() });
  await ledger.addMany(1, 2, HISTORY);
  await ledger.query('ANALYZE deliveries');
  await ledger.query(
    `INSERT INTO events (id, tenant_id, entity, entity_id, action, meta_id, occurred_at, payload)
       VALUES ($1, $2, 'deal', $3, 'change', 'm', now(), '{}')`,
    HISTORY + 1,
    ledger.tenant,
    String(HISTORY + 1),
  );
  await ledger.addDelivery({ id: HISTORY + 1, rule_id: -WATCH_ID, state: 'held', held_for: 'quiet' });
  const planned = await openPlanned();
  if (planned === null) return;
  const told = [{ watchId: WATCH_ID, entity: 'deal', entityId: String(HISTORY + 1) }];

  const found = await planned.database.repeatableTransaction((client) => loadHeldBack(client, ledger.tenant, told));

  expect(found.map(({ id }) => id)).toEqual([HISTORY + 1]);
  expect(readingMore(planned.take(), 'deliveries', FEW)).toEqual([]);
});
