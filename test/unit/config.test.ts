/** The environment: defaults, good values, and one readable line for each bad one that never shows a secret. */

import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readConfig } from '../../src/config';
import { AppError } from '../../src/core/errors';

const KEY = Buffer.alloc(32, 7).toString('base64');
const REQUIRED = { PIPEDRIVE_CLIENT_ID: 'client', PIPEDRIVE_CLIENT_SECRET: 'client secret' };
const PRODUCTION = {
  NODE_ENV: 'production',
  DATABASE_URL: 'postgresql://u:p@db/x',
  ENCRYPTION_KEYS: `one:${KEY}`,
  SESSION_SECRET: 'a secret of the session',
};

let dataDir: string;
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'dealbell-config-'));
});
afterEach(() => {
  rmSync(dataDir, { recursive: true, force: true });
});

const read = (given: Record<string, string | undefined> = {}) => readConfig({ ...REQUIRED, DATA_DIR: dataDir, ...given });

/** The lines after the heading; empty when the configuration is good. */
function problems(given: Record<string, string | undefined>): readonly string[] {
  try {
    read(given);
    return [];
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'invalid_configuration') throw error;
    return error.message
      .split('\n')
      .slice(1)
      .map((line) => line.trim());
  }
}

test('when only what is required is set, then everything else has its documented default', () => {
  expect(read()).toMatchObject({
    ...{ isProduction: false, port: 3000, host: '0.0.0.0', baseUrl: 'http://localhost:3000', databaseUrl: null, redisUrl: null },
    ...{ googleChatOrigin: 'https://chat.googleapis.com', frameAncestors: 'https://*.pipedrive.com', corsOrigins: [] },
    ...{ operatorToken: null, sentryDsn: null, logLevel: 'info', defaultPlan: 'Professional', retentionDays: 90 },
    ...{ settleMs: 1500, refusalConfirmMs: 20_000, apiRateLimit: 1200, workerConcurrency: 50, migrateOnStart: false, dataDir },
    pipedrive: {
      ...{ clientId: 'client', clientSecret: 'client secret', jwtSecret: 'client secret' },
      ...{ oauthUrl: 'https://oauth.pipedrive.com', apiUrl: null, allowApiTokenConnect: false },
    },
  });
});

test.each<[string, string, string, unknown]>([
  ['PORT', '8080', 'port', 8080],
  ['PORT', '8080', 'baseUrl', 'http://localhost:8080'],
  ['HOST', '127.0.0.1', 'host', '127.0.0.1'],
  ['BASE_URL', 'https://bell.example.com/', 'baseUrl', 'https://bell.example.com'],
  ['DATABASE_URL', 'postgres://u:p@db/x', 'databaseUrl', 'postgres://u:p@db/x'],
  ['REDIS_URL', 'rediss://cache:6379', 'redisUrl', 'rediss://cache:6379'],
  ['PIPEDRIVE_JWT_SECRET', 'other', 'pipedrive.jwtSecret', 'other'],
  ['PIPEDRIVE_OAUTH_URL', 'http://127.0.0.1:4000', 'pipedrive.oauthUrl', 'http://127.0.0.1:4000'],
  ['PIPEDRIVE_API_URL', 'http://127.0.0.1:4000/', 'pipedrive.apiUrl', 'http://127.0.0.1:4000'],
  ['GOOGLE_CHAT_ORIGIN', 'http://127.0.0.1:5000', 'googleChatOrigin', 'http://127.0.0.1:5000'],
  ['GOOGLE_CHAT_ORIGIN', 'http://[::1]:5000', 'googleChatOrigin', 'http://[::1]:5000'],
  ['FRAME_ANCESTORS', "'self' http://localhost:4000", 'frameAncestors', "'self' http://localhost:4000"],
  ['FRONTEND_URL', 'https://a.example', 'corsOrigins', ['https://a.example']],
  ['FRONTEND_URL', ' https://a.example/ , https://*.example.app,', 'corsOrigins', ['https://a.example', 'https://*.example.app']],
  ['FRONTEND_URL', 'http://localhost:5173', 'corsOrigins', ['http://localhost:5173']],
  ['ALLOW_API_TOKEN_CONNECT', 'true', 'pipedrive.allowApiTokenConnect', true],
  ['ALLOW_API_TOKEN_CONNECT', '0', 'pipedrive.allowApiTokenConnect', false],
  ['MIGRATE_ON_START', 'yes', 'migrateOnStart', true],
  ['OPERATOR_TOKEN', 'an operator token of length', 'operatorToken', 'an operator token of length'],
  ['SENTRY_DSN', 'https://key@sentry.example/1', 'sentryDsn', 'https://key@sentry.example/1'],
  ['LOG_LEVEL', 'debug', 'logLevel', 'debug'],
  ['DEFAULT_PLAN', 'Enterprise', 'defaultPlan', 'Enterprise'],
  ['RETENTION_DAYS', '365', 'retentionDays', 365],
  ['SETTLE_MS', '0', 'settleMs', 0],
  ['SETTLE_MS', '120000', 'settleMs', 120_000],
  ['REFUSAL_CONFIRM_MS', '100', 'refusalConfirmMs', 100],
  ['API_RATE_LIMIT', '5', 'apiRateLimit', 5],
  ['WORKER_CONCURRENCY', '1', 'workerConcurrency', 1],
])('when %s is %s, then it is taken', (name, value, path, expected) => {
  expect(read({ [name]: value })).toHaveProperty(path, expected);
});

test.each([
  ['PIPEDRIVE_CLIENT_ID', undefined],
  ['PIPEDRIVE_CLIENT_SECRET', ''],
  ['PORT', '70000'],
  ['PORT', '-1'],
  ['PORT', '3000.5'],
  ['PORT', 'http'],
  ['BASE_URL', 'bell.example.com'],
  ['BASE_URL', 'ftp://bell.example.com'],
  ['BASE_URL', 'https://bell.example.com/?a=b'],
  ['DATABASE_URL', 'mysql://u:p@db/x'],
  ['REDIS_URL', 'http://cache'],
  ['PIPEDRIVE_OAUTH_URL', 'oauth'],
  ['PIPEDRIVE_API_URL', 'javascript:alert(1)'],
  ['GOOGLE_CHAT_ORIGIN', 'nonsense'],
  ['GOOGLE_CHAT_ORIGIN', 'https://chat.googleapis.com/v1'],
  ['GOOGLE_CHAT_ORIGIN', 'http://chat.example'],
  ['GOOGLE_CHAT_ORIGIN', 'http://127.0.0.1.evil.example'],
  ['FRAME_ANCESTORS', "https://a.example; script-src 'unsafe-inline'"],
  ['FRAME_ANCESTORS', 'https://a.example\nX-Header: y'],
  ['FRONTEND_URL', '*'],
  ['FRONTEND_URL', 'https://*'],
  ['FRONTEND_URL', 'https://*.app'],
  ['FRONTEND_URL', 'https://a.*.example'],
  ['FRONTEND_URL', 'https://*.*.example'],
  ['FRONTEND_URL', 'https://*a.example'],
  ['FRONTEND_URL', 'https://a.example/path'],
  ['FRONTEND_URL', 'https://a.example,null'],
  ['FRONTEND_URL', 'a.example'],
  ['FRONTEND_URL', 'https://user@a.example'],
  ['ENCRYPTION_KEYS', 'hunter2'],
  ['ENCRYPTION_KEYS', `one:${Buffer.alloc(31).toString('base64')}`],
  ['ENCRYPTION_KEYS', `one:${KEY},one:${KEY}`],
  ['ENCRYPTION_KEYS', `one:${KEY},`],
  ['SESSION_SECRET', 'hunter2'],
  ['OPERATOR_TOKEN', 'hunter2'],
  ['ALLOW_API_TOKEN_CONNECT', 'perhaps'],
  ['ALLOW_EMBEDDED_DATABASE', 'on and off'],
  ['MIGRATE_ON_START', '2'],
  ['SENTRY_DSN', 'sentry'],
  ['LOG_LEVEL', 'loud'],
  ['DEFAULT_PLAN', 'Gold'],
  ['RETENTION_DAYS', '0'],
  ['RETENTION_DAYS', 'for ever'],
  ['SETTLE_MS', '-1'],
  ['SETTLE_MS', '120001'],
  ['SETTLE_MS', '1.5 s'],
  ['REFUSAL_CONFIRM_MS', 'soon'],
  ['API_RATE_LIMIT', '0'],
  ['WORKER_CONCURRENCY', '0'],
])('when %s is %j, then one line names it', (name, value) => {
  const lines = problems({ [name]: value });

  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatch(new RegExp(`^${name} .{5,}`));
  expect(lines[0]).not.toMatch(/invalid input|undefined|hunter2|regex/i);
});

test('when several are wrong, then each has its line', () => {
  const lines = problems({ PORT: 'x', SETTLE_MS: 'y', PIPEDRIVE_CLIENT_ID: undefined });

  expect(lines.map((line) => line.split(' ')[0]).sort()).toEqual(['PIPEDRIVE_CLIENT_ID', 'PORT', 'SETTLE_MS']);
});

test('when secrets are malformed, then no line shows them', () => {
  const text = problems({
    ...{ DATABASE_URL: 'mysql://u:hunter2@db', REDIS_URL: 'http://:hunter2@cache', ENCRYPTION_KEYS: 'one:hunter2' },
    ...{ SESSION_SECRET: 'hunter2', OPERATOR_TOKEN: 'hunter2', SENTRY_DSN: 'hunter2', BASE_URL: 'hunter2' },
  }).join('\n');

  expect(text).not.toContain('hunter2');
});

test('when a variable is empty, then it counts as not set', () => {
  expect(read({ REDIS_URL: '', SETTLE_MS: '', FRONTEND_URL: '' })).toMatchObject({
    redisUrl: null,
    settleMs: 1500,
    corsOrigins: [],
  });
});

test('when variables are not ours, then they are left alone', () => {
  expect(problems({ SOMETHING_ELSE: 'x', PATH: '/bin' })).toEqual([]);
});

describe('in production', () => {
  test('when everything is set, then it is taken', () => {
    const config = read(PRODUCTION);

    expect(config.isProduction).toBe(true);
    expect(config.encryptionKeys.map(({ id }) => id)).toEqual(['one']);
  });

  test.each(['DATABASE_URL', 'ENCRYPTION_KEYS', 'SESSION_SECRET'])('when %s is missing, then one line names it', (name) => {
    const lines = problems({ ...PRODUCTION, [name]: undefined });

    expect(lines).toEqual([expect.stringMatching(new RegExp(`^${name} is required in production`))]);
  });

  test('when the embedded database is allowed, then no address is needed', () => {
    expect(problems({ ...PRODUCTION, DATABASE_URL: undefined, ALLOW_EMBEDDED_DATABASE: 'true' })).toEqual([]);
  });

  test('when Google Chat is a loopback address, then it must be https there too', () => {
    expect(problems({ ...PRODUCTION, GOOGLE_CHAT_ORIGIN: 'http://127.0.0.1:5000' })).toEqual([
      expect.stringMatching(/^GOOGLE_CHAT_ORIGIN must be https/),
    ]);
  });
});

describe('keys', () => {
  test('when several are given, then the first seals and all are there', () => {
    const other = Buffer.alloc(32, 9);

    const { encryptionKeys } = read({ ENCRYPTION_KEYS: `new:${KEY}, old:${other.toString('base64')}` });

    expect(encryptionKeys.map(({ id }) => id)).toEqual(['new', 'old']);
    expect(Buffer.from(encryptionKeys[1]?.key ?? [])).toEqual(other);
  });

  test('when none is given outside production, then one is made, kept for its owner alone, and stays the same', () => {
    const first = read();
    const second = read();

    expect(second.encryptionKeys).toEqual(first.encryptionKeys);
    expect(second.sessionSecret).toBe(first.sessionSecret);
    for (const name of ['encryption-key', 'session-secret']) expect(statSync(join(dataDir, name)).mode & 0o777).toBe(0o600);
    expect(readFileSync(join(dataDir, 'encryption-key'), 'utf8')).not.toContain(first.sessionSecret);
  });

  test('when the folder is not there yet, then it is made', () => {
    expect(readConfig({ ...REQUIRED, DATA_DIR: join(dataDir, 'a', 'b') }).encryptionKeys).toHaveLength(1);
  });

  test('when a kept key is damaged, then the start stops and names the file', () => {
    writeFileSync(join(dataDir, 'encryption-key'), 'short');

    expect(() => read()).toThrow(/DATA_DIR holds a damaged encryption-key/);
  });

  test('when the folder cannot be written, then the start stops and names it', () => {
    const file = join(dataDir, 'file');
    writeFileSync(file, '');

    expect(() => readConfig({ ...REQUIRED, DATA_DIR: join(file, 'x') })).toThrow(/DATA_DIR/);
  });
});
