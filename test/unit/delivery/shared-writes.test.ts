/** What many spaces ask at once shares a statement; what is gone meanwhile is answered as gone. */

import { makeDeliveryStore } from '../../../src/delivery/delivery.store';
import { makeFoldStore } from '../../../src/delivery/fold.store';
import { makeSharedWrites } from '../../../src/delivery/shared-writes.store';
import { useTestDatabase } from '../../support/test-database';
import { useLedger } from '../../support/use-ledger';

const testDatabase = useTestDatabase();
const ledger = useLedger(testDatabase);

test('when a destination is removed while its message is looked at, then that has no backlog, and the others have theirs', async () => {
  const store = makeDeliveryStore(testDatabase.database);
  const folds = makeFoldStore(testDatabase.database);
  const { backlogOf } = makeSharedWrites({ ledger: store, folds });
  for (const [id, space] of [
    [1, 'A'],
    [2, 'B'],
  ] as const) {
    await ledger.addDestination({ id, name: space, space_id: space });
    await ledger.query(`INSERT INTO google_spaces (space_id, is_waiting) VALUES ($1, true)`, space);
    await ledger.addDelivery({ id, chat_webhook_id: id, space_id: space, created_at: new Date() });
  }
  const { claimed } = await store.claimDue(2);
  await ledger.query('DELETE FROM chat_webhooks WHERE id = 1');

  const backlogs = await Promise.all(claimed.map((delivery) => backlogOf({ delivery, limit: 10 })));

  expect(claimed.map(({ chatWebhookId }) => chatWebhookId).sort()).toEqual([1, 2]);
  expect(backlogs[claimed.findIndex(({ chatWebhookId }) => chatWebhookId === 1)]).toBeNull();
  expect(backlogs[claimed.findIndex(({ chatWebhookId }) => chatWebhookId === 2)]).toMatchObject({ due: 1 });
});
