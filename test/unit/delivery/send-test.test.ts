/** A test message takes its turn in the space like any other, and not before it can be posted. */

import { tenantId } from '../../../src/core/tenant';
import { makeSendTest } from '../../../src/delivery/send-test';
import { makeTestStore } from '../../../src/delivery/test-message.store';
import { useTestDatabase } from '../../support/test-database';
import { useLedger } from '../../support/use-ledger';

const testDatabase = useTestDatabase();
const ledger = useLedger(testDatabase);

test('when the key of the destination cannot be opened, then its space stays free for others', async () => {
  await ledger.addDestination();
  const sendTest = makeSendTest({
    store: makeTestStore(testDatabase.database),
    openDestination: () => Promise.reject(new Error('cannot be opened')),
    post: () => Promise.reject(new Error('nothing is posted')),
    settings: { spaceIntervalMs: 0, refusalConfirmMs: 0, firstProbeMs: 0 },
    onHealed: () => undefined,
    clock: () => new Date(),
  });

  await expect(sendTest({ tenantId: tenantId(ledger.tenant), chatWebhookId: 1 })).rejects.toThrow('cannot be opened');

  expect((await ledger.query('SELECT FROM google_spaces WHERE lease_until IS NOT NULL')).rows).toEqual([]);
});
