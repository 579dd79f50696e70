/** The environment, parsed once: the only reader of process.env. Secrets are never printed. */

import { createHash, randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { AppError } from './core/errors';

const LOOPBACK_HOSTS = new Set(['localhost', '127.0.0.1', '[::1]']);

const flag = z.stringbool({ truthy: ['true', '1', 'yes'], falsy: ['false', '0', 'no'] });
const integer = (min: number, max: number) =>
  z
    .string()
    .regex(/^\d+$/, 'must be a whole number')
    .transform(Number)
    .pipe(z.number().min(min, `must be at least ${min}`).max(max, `must be at most ${max}`));
const required = z.string({ error: 'is required' }).min(1, 'is required');

/** An http(s) address; kept without a trailing slash. */
const address = z
  .string()
  .refine((text) => URL.canParse(text) && /^https?:$/.test(new URL(text).protocol), 'must be an http:// or https:// address')
  .refine((text) => !URL.canParse(text) || (new URL(text).search === '' && new URL(text).hash === ''), 'must have no ? or #')
  .transform((text) => text.replace(/\/+$/, ''));
const origin = address.refine((text) => new URL(text).origin === text, 'must be an origin such as https://chat.googleapis.com');
const databaseUrl = z.string().regex(/^postgres(ql)?:\/\/./, 'must begin with postgresql://');
const redisUrl = z.string().regex(/^rediss?:\/\/./, 'must begin with redis:// or rediss://');
const keyring = z.string().transform((text, context) => {
  const keys = text.split(',').map(parseKey);
  if (keys.some((key) => key === null)) {
    context.addIssue({ code: 'custom', message: 'must be id:base64(32 bytes), comma-separated' });
    return z.NEVER;
  }
  const known = keys.filter((key) => key !== null);
  if (new Set(known.map((key) => key.id)).size !== known.length) {
    context.addIssue({ code: 'custom', message: 'must not use one id twice' });
    return z.NEVER;
  }
  return known;
});
/** A wildcard needs two labels behind it: nobody owns all of `*.app`. */
const CORS_ORIGIN = /^https?:\/\/(\*\.[a-z0-9-]+\.)?[a-z0-9-]+(\.[a-z0-9-]+)*(:\d+)?$/i;
const corsOrigins = z
  .string()
  .transform((text) =>
    text
      .split(',')
      .map((item) => item.trim().replace(/\/$/, ''))
      .filter((item) => item !== ''),
  )
  .refine(
    (items) => items.every((item) => CORS_ORIGIN.test(item)),
    'must be origins such as https://app.example.com, comma-separated',
  );

/** Every variable of ours; others are left alone. */
const environmentSchema = z.object({
  NODE_ENV: z.string().default('development'),
  PORT: integer(0, 65_535).default(3000),
  HOST: z.string().min(1).default('0.0.0.0'),
  BASE_URL: address.optional(),
  DATABASE_URL: databaseUrl.optional(),
  DATA_DIR: z.string().min(1).default('.data'),
  ALLOW_EMBEDDED_DATABASE: flag.default(false),
  MIGRATE_ON_START: flag.default(false),
  REDIS_URL: redisUrl.optional(),
  PIPEDRIVE_CLIENT_ID: required,
  PIPEDRIVE_CLIENT_SECRET: required,
  PIPEDRIVE_JWT_SECRET: z.string().min(1).optional(),
  PIPEDRIVE_OAUTH_URL: address.default('https://oauth.pipedrive.com'),
  PIPEDRIVE_API_URL: address.optional(),
  GOOGLE_CHAT_ORIGIN: origin.default('https://chat.googleapis.com'),
  FRAME_ANCESTORS: z
    .string()
    .regex(/^[^;\r\n,]+$/, 'must be a list of CSP sources parted by spaces')
    .default('https://*.pipedrive.com'),
  FRONTEND_URL: corsOrigins.default([]),
  ENCRYPTION_KEYS: keyring.optional(),
  SESSION_SECRET: z.string().min(16, 'must have at least 16 characters').optional(),
  ALLOW_API_TOKEN_CONNECT: flag.default(false),
  OPERATOR_TOKEN: z.string().min(16, 'must have at least 16 characters').optional(),
  SENTRY_DSN: address.optional(),
  LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),
  DEFAULT_PLAN: z.enum(['Professional', 'Enterprise']).default('Professional'),
  RETENTION_DAYS: integer(1, 3650).default(90),
  SETTLE_MS: integer(0, 120_000).default(1500),
  REFUSAL_CONFIRM_MS: integer(0, 86_400_000).default(20_000),
  API_RATE_LIMIT: integer(1, 10_000_000).default(1200),
  WORKER_CONCURRENCY: integer(1, 1000).default(50),
});

export interface EncryptionKey {
  readonly id: string;
  readonly key: Uint8Array;
}

export interface Config {
  readonly isProduction: boolean;
  readonly port: number;
  readonly host: string;
  readonly baseUrl: string;
  /** Null: the embedded PostgreSQL in `dataDir`. */
  readonly databaseUrl: string | null;
  readonly dataDir: string;
  readonly migrateOnStart: boolean;
  /** Null: the queue lives in PostgreSQL. */
  readonly redisUrl: string | null;
  readonly pipedrive: {
    readonly clientId: string;
    readonly clientSecret: string;
    readonly jwtSecret: string;
    readonly oauthUrl: string;
    /** Null: each token's own `api_domain`. */
    readonly apiUrl: string | null;
    readonly allowApiTokenConnect: boolean;
  };
  readonly googleChatOrigin: string;
  readonly frameAncestors: string;
  readonly corsOrigins: readonly string[];
  readonly encryptionKeys: readonly EncryptionKey[];
  readonly sessionSecret: string;
  readonly operatorToken: string | null;
  readonly sentryDsn: string | null;
  readonly logLevel: string;
  readonly defaultPlan: 'Professional' | 'Enterprise';
  readonly retentionDays: number;
  readonly settleMs: number;
  readonly refusalConfirmMs: number;
  readonly apiRateLimit: number;
  readonly workerConcurrency: number;
  /** Least distance of two writes into one space: Google allows one a second. */
  readonly spaceIntervalMs: number;
  /** From the break of a destination to the first trial of one of its messages. */
  readonly firstProbeMs: number;
}

type Environment = z.infer<typeof environmentSchema>;

/**
 * Reads the environment. Throws an AppError (`invalid_configuration`) whose message has one readable line per problem,
 * naming the variable. Outside production missing keys are made and kept in `DATA_DIR`.
 */
export function readConfig(source: NodeJS.ProcessEnv = process.env): Config {
  const given = Object.fromEntries(Object.entries(source).filter(([, value]) => value !== undefined && value !== ''));
  const parsed = environmentSchema.safeParse(given);
  const problems = parsed.success ? crossProblems(parsed.data) : parsed.error.issues.map(problemLine);
  if (!parsed.success || problems.length > 0) throw configurationError(problems);
  return toConfig(parsed.data);
}

function problemLine(issue: z.core.$ZodIssue): string {
  const name = String(issue.path[0]);
  if (issue.code === 'invalid_value') return `${name} must be one of ${issue.values.join(', ')}`;
  return `${name} ${issue.message.startsWith('Invalid input') ? 'is malformed (true or false is expected)' : issue.message}`;
}

function configurationError(problems: readonly string[]): AppError {
  return new AppError(
    'invalid_configuration',
    ['The configuration has problems:', ...problems.map((line) => `  ${line}`)].join('\n'),
  );
}

/** What one variable alone cannot tell. */
function crossProblems(environment: Environment): string[] {
  const isProduction = environment.NODE_ENV === 'production';
  const problems: string[] = [];
  if (isProduction && environment.DATABASE_URL === undefined && !environment.ALLOW_EMBEDDED_DATABASE) {
    problems.push('DATABASE_URL is required in production (or set ALLOW_EMBEDDED_DATABASE=true)');
  }
  if (isProduction && environment.ENCRYPTION_KEYS === undefined) problems.push('ENCRYPTION_KEYS is required in production');
  if (isProduction && environment.SESSION_SECRET === undefined) problems.push('SESSION_SECRET is required in production');
  const chat = new URL(environment.GOOGLE_CHAT_ORIGIN);
  if (chat.protocol === 'http:' && (isProduction || !LOOPBACK_HOSTS.has(chat.hostname))) {
    problems.push('GOOGLE_CHAT_ORIGIN must be https (http only for a loopback address and outside production)');
  }
  return problems;
}

function toConfig(environment: Environment): Config {
  const dataDir = resolve(environment.DATA_DIR);
  return {
    isProduction: environment.NODE_ENV === 'production',
    port: environment.PORT,
    host: environment.HOST,
    baseUrl: environment.BASE_URL ?? `http://localhost:${environment.PORT}`,
    databaseUrl: environment.DATABASE_URL ?? null,
    dataDir,
    migrateOnStart: environment.MIGRATE_ON_START,
    redisUrl: environment.REDIS_URL ?? null,
    pipedrive: pipedriveConfig(environment),
    googleChatOrigin: environment.GOOGLE_CHAT_ORIGIN,
    frameAncestors: environment.FRAME_ANCESTORS,
    corsOrigins: environment.FRONTEND_URL,
    encryptionKeys: environment.ENCRYPTION_KEYS ?? [keptEncryptionKey(dataDir)],
    sessionSecret: environment.SESSION_SECRET ?? keptSecret(dataDir, 'session-secret').toString('base64'),
    operatorToken: environment.OPERATOR_TOKEN ?? null,
    sentryDsn: environment.SENTRY_DSN ?? null,
    logLevel: environment.LOG_LEVEL,
    defaultPlan: environment.DEFAULT_PLAN,
    retentionDays: environment.RETENTION_DAYS,
    settleMs: environment.SETTLE_MS,
    refusalConfirmMs: environment.REFUSAL_CONFIRM_MS,
    apiRateLimit: environment.API_RATE_LIMIT,
    workerConcurrency: environment.WORKER_CONCURRENCY,
    spaceIntervalMs: 1000,
    firstProbeMs: 300_000,
  };
}

function pipedriveConfig(environment: Environment): Config['pipedrive'] {
  return {
    clientId: environment.PIPEDRIVE_CLIENT_ID,
    clientSecret: environment.PIPEDRIVE_CLIENT_SECRET,
    jwtSecret: environment.PIPEDRIVE_JWT_SECRET ?? environment.PIPEDRIVE_CLIENT_SECRET,
    oauthUrl: environment.PIPEDRIVE_OAUTH_URL,
    apiUrl: environment.PIPEDRIVE_API_URL ?? null,
    allowApiTokenConnect: environment.ALLOW_API_TOKEN_CONNECT,
  };
}

function parseKey(text: string): EncryptionKey | null {
  const match = /^\s*([\w.-]{1,40}):([A-Za-z0-9+/_-]+={0,2})\s*$/.exec(text);
  const [, id, encoded] = match ?? [];
  if (id === undefined || encoded === undefined) return null;
  const key = Buffer.from(encoded, 'base64');
  return key.length === 32 ? { id, key } : null;
}

function keptEncryptionKey(dataDir: string): EncryptionKey {
  const key = keptSecret(dataDir, 'encryption-key');
  return { id: `local-${createHash('sha256').update(key).digest('hex').slice(0, 8)}`, key };
}

/** 32 random bytes that stay the same over restarts; readable by their owner alone. */
function keptSecret(dataDir: string, name: string): Buffer {
  const file = join(dataDir, name);
  if (!existsSync(file)) {
    try {
      mkdirSync(dataDir, { recursive: true });
      writeFileSync(file, randomBytes(32).toString('base64'), { mode: 0o600, flag: 'wx' });
    } catch (error) {
      // Another process of ours may have been first; then its secret counts.
      if (!existsSync(file)) throw new AppError('invalid_configuration', `DATA_DIR cannot be written: ${file}`, { cause: error });
    }
    chmodSync(file, 0o600);
  }
  const secret = Buffer.from(readFileSync(file, 'utf8').trim(), 'base64');
  if (secret.length !== 32)
    throw new AppError('invalid_configuration', `DATA_DIR holds a damaged ${name}: remove ${file} to make a new one`);
  return secret;
}
