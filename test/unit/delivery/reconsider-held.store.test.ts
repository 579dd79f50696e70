/** Which of what waits for a time is looked at anew after a change of settings. */

import { reconsiderHeld } from '../../../src/delivery/reconsider-held.store';
import { useTestDatabase } from '../../support/test-database';
import { useLedger } from '../../support/use-ledger';

const NOW = new Date('2026-11-25T08:00:00Z');

const testDatabase = useTestDatabase();
const ledger = useLedger(testDatabase);

test('when the time of a digest changes just as it has come, then what is due already stays due', async () => {
  const gathered = { rule_id: 7, state: 'held', held_for: 'daily' };
  await ledger.addDestination();
  await ledger.addDelivery({ id: 1, ...gathered, held_until: NOW });
  await ledger.addDelivery({ id: 2, ...gathered, held_until: new Date(NOW.getTime() + 86_400_000) });

  await testDatabase.database.prisma.$transaction((client) => reconsiderHeld(client, ledger.tenant, { ruleId: 7 }, NOW));

  const { rows } = await ledger.query('SELECT held_until FROM deliveries ORDER BY event_id');
  expect(rows).toEqual([{ held_until: NOW }, { held_until: new Date(0) }]);
});
