/** The sweep's round: messages go while events are routed, and one step's trouble is its own. */

import { pino } from 'pino';
import { tenantId } from '../../../src/core/tenant';
import { makeSweep, type SweepDependencies } from '../../../src/upkeep/sweep';
import { waitUntil } from '../../support/wait-until';

const nothing = () => Promise.resolve();

function aSweep(given: Partial<SweepDependencies>) {
  return makeSweep({
    ...{
      tenantsWithWork: () => Promise.resolve([]),
      routeEvents: nothing,
      deliverDue: nothing,
      tidy: nothing,
      releaseHeld: nothing,
    },
    ...{ log: pino({ level: 'silent' }), intervalMs: 1 },
    ...given,
  });
}

test('when a tenant has very much to route, then messages are delivered again and again meanwhile, and once more after', async () => {
  let delivered = 0;
  let endRouting = (): void => undefined;
  const sweep = aSweep({
    tenantsWithWork: () => Promise.resolve([tenantId(1), tenantId(2)]),
    routeEvents: (tenant) => (tenant === 1 ? new Promise((resolve) => (endRouting = resolve)) : Promise.resolve()),
    deliverDue: () => Promise.resolve(void (delivered += 1)),
  });

  const round = sweep.run();
  await waitUntil('several looks while it is routed', () => delivered >= 3);
  const before = delivered;
  endRouting();
  await round;

  expect(delivered).toBeGreaterThan(before);
});

test('when a step fails, then the others of its round, and the other tenants, are worked on all the same', async () => {
  const done: string[] = [];
  const sweep = aSweep({
    tidy: () => Promise.reject(new Error('tidy')),
    releaseHeld: () => Promise.reject(new Error('release')),
    tenantsWithWork: () => Promise.resolve([tenantId(1), tenantId(2)]),
    routeEvents: (tenant) =>
      tenant === 1 ? Promise.reject(new Error('route')) : Promise.resolve(void done.push(`route ${tenant}`)),
    deliverDue: () => Promise.resolve(void done.push('deliver')),
  });

  await sweep.run();

  expect(done).toContain('route 2');
  expect(done.at(-1)).toBe('deliver');
});
