/** Runs the same suite on both of the queue's backends: PostgreSQL always, Redis where there is one (in CI there must be). */

import { canStartRedis, startRedisServer, type RedisServer } from './redis-server';

export interface QueueBackend {
  readonly name: 'PostgreSQL' | 'Redis';
  /** From `beforeAll` on; null for the queue in PostgreSQL. */
  redisUrl(): string | null;
}

type TestRedis = Pick<RedisServer, 'url' | 'close'>;

/** A describe block per backend. */
export function describeOnBackends(title: string, suite: (backend: QueueBackend) => void): void {
  describe(`${title}, queue in PostgreSQL`, () => {
    suite({ name: 'PostgreSQL', redisUrl: () => null });
  });
  describeWithRedis(`${title}, queue in Redis`, (redisUrl) => {
    suite({ name: 'Redis', redisUrl });
  });
}

/** A describe block with a Redis of its own; left out with one line where there is none, failed in CI. */
export function describeWithRedis(title: string, suite: (redisUrl: () => string) => void): void {
  const given = process.env['REDIS_URL'] ?? '';
  if (!canStartRedis() && given === '') {
    leaveOut(title);
    return;
  }
  describe(title, () => {
    let redis: TestRedis | undefined;
    beforeAll(async () => {
      redis = canStartRedis() ? await startRedisServer() : borrowed(given);
    });
    afterAll(() => redis?.close());
    // A block of its own: its hooks end before Redis does.
    describe('redis-server', () => {
      suite(() => {
        if (redis === undefined) throw new Error('Redis is there from beforeAll on');
        return redis.url;
      });
    });
  });
}

/** The same for a suite that stops, starts and empties its Redis, which only one of its own bears; null where there is none. */
export function withRedisServer(title: string, suite: (server: (() => RedisServer) | null) => void): void {
  if (!canStartRedis()) {
    leaveOut(title);
    describe(title, () => suite(null));
    return;
  }
  describe(title, () => {
    let redis: RedisServer | undefined;
    beforeAll(async () => {
      redis = await startRedisServer();
    });
    afterAll(() => redis?.close());
    describe('redis-server', () => {
      suite(() => {
        if (redis === undefined) throw new Error('Redis is there from beforeAll on');
        return redis;
      });
    });
  });
}

function leaveOut(title: string): void {
  if (process.env['CI'] === 'true') {
    test(`${title}: Redis must be here in CI`, () => {
      throw new Error('Neither redis-server on the PATH nor REDIS_URL: in CI the Redis suites must run.');
    });
    return;
  }
  process.stderr.write(`Redis suites left out: ${title} (neither redis-server on the PATH nor REDIS_URL)\n`);
}

/** Workers of one run share the given server: each takes a database of its own there. */
function borrowed(url: string): TestRedis {
  const own = new URL(url);
  own.pathname = `/${process.env['JEST_WORKER_ID'] ?? '1'}`;
  return { url: own.href, close: () => Promise.resolve() };
}
