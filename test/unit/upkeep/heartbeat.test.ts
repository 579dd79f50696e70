import { pino } from 'pino';
import { makeHeartbeat } from '../../../src/upkeep/heartbeat';
import { makeBeat } from '../../../src/upkeep/heartbeat.store';
import { useTestDatabase } from '../../support/test-database';

const log = pino({ level: 'silent' });

describe('makeHeartbeat', () => {
  test('when beats fail for a while, then the first that gets through tells of the gap, and the next do not', async () => {
    const answers: (() => Promise<number | null>)[] = [
      () => Promise.resolve(null),
      () => Promise.resolve(15_000),
      () => Promise.reject(new Error('database away')),
      () => Promise.resolve(3_600_000),
      () => Promise.resolve(15_000),
    ];
    const gaps: number[] = [];
    const onGap = (gapMs: number): Promise<void> => Promise.resolve(void gaps.push(gapMs));
    const heartbeat = makeHeartbeat({ beat: () => answers.shift()?.() ?? Promise.resolve(null), onGap, log });

    for (const _ of [...answers]) await heartbeat.beat();

    expect(gaps).toEqual([3_600_000]);
  });
});

describe('makeBeat', () => {
  const testDatabase = useTestDatabase();

  test('when two processes come back together, then one of them sees the gap', async () => {
    const { pool } = testDatabase.database;
    const beat = makeBeat(pool, 'web');
    expect(await beat()).toBeNull();
    await pool.query(`UPDATE heartbeats SET beat_at = now() - interval '1 hour'`);

    const gaps = await Promise.all([beat(), beat()]);

    const long = gaps.filter((gapMs) => gapMs !== null && gapMs > 3_500_000);
    expect(long).toHaveLength(1);
  });
});
