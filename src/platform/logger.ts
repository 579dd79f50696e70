/** The process's log: JSON lines on stdout, secrets redacted in this one place. */

import { pino, stdSerializers, type DestinationStream, type Logger } from 'pino';

/** What must never stand in a log, whatever object it hangs on. */
const SECRET_NAMES: ReadonlySet<string> = new Set([
  'authorization',
  'cookie',
  'set-cookie',
  'x-api-token',
  'password',
  'token',
  'apiToken',
  'apiKey',
  'accessToken',
  'refreshToken',
  'access_token',
  'refresh_token',
  'signingSecret',
  'clientSecret',
  'key',
  'url',
]);
/** Facts that a serializer makes plain; of requests and answers that is the request log's, and without it nothing of them is logged. */
const SERIALIZED_NAMES: ReadonlySet<string> = new Set(['err', 'error', 'req', 'res']);

/** Replaces credentials inside running text: Chat webhook URLs, bearer tokens, keys of ours, query tokens. */
export function redactText(text: string): string {
  return text
    .replace(/([?&](?:key|token|code|state|access_token|refresh_token|api_token)=)[^&\s"'<>]+/gi, '$1***')
    .replace(/\b(Bearer|Basic)\s+[A-Za-z0-9+/=._~:-]{6,}/gi, '$1 ***')
    .replace(/\bdbk_[A-Za-z0-9_-]+/g, 'dbk_***')
    .replace(/(postgres(?:ql)?|rediss?):\/\/([^:@\s/]*):[^\s"'<>]*@/gi, '$1://$2:***@');
}

/** Deeper than this nothing is logged: no fact of ours lies so deep, and the walk must end. */
const LOGGED_DEPTH = 6;

/** The same facts with secrets replaced, by name and inside texts, at any depth. What is neither plain nor a time is left out. */
function redactFields(value: unknown, depth = LOGGED_DEPTH): unknown {
  if (typeof value === 'string') return redactText(value);
  if (typeof value !== 'object' || value === null || value instanceof Date) return value;
  if (Array.isArray(value)) return depth === 0 ? '[...]' : value.map((item) => redactFields(item, depth - 1));
  if (!isPlainObject(value)) return '[instance]';
  if (depth === 0) return '{...}';
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [name, SECRET_NAMES.has(name) ? '***' : redactFields(item, depth - 1)]),
  );
}

function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

const redactSerialized = (value: unknown): unknown => redactFields(value);

/** Makes the logger. `destination` is for tests; the default is stdout. */
export function makeLogger(level: string, destination?: DestinationStream): Logger {
  return pino(
    {
      level,
      base: null,
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      serializers: { err: serializeError, error: serializeError, req: redactSerialized, res: redactSerialized },
      formatters: { log: redactOwnFields },
      // What a child logger is given passes by no formatter.
      redact: { paths: [...SECRET_NAMES].map((name) => `["${name}"]`), censor: '***' },
      hooks: {
        logMethod(args, method) {
          const safe = args.map((arg: unknown) => (typeof arg === 'string' ? redactText(arg) : arg));
          Reflect.apply(method, this, safe);
        },
      },
    },
    destination ?? pino.destination({ dest: 1, sync: true }),
  );
}

function redactOwnFields(fields: object): Record<string, unknown> {
  const safe: Record<string, unknown> = {};
  for (const [name, value] of Object.entries<unknown>({ ...fields })) {
    if (SECRET_NAMES.has(name)) safe[name] = '***';
    else safe[name] = isInstance(value) && SERIALIZED_NAMES.has(name) ? value : redactFields(value);
  }
  return safe;
}

/**
 * Also whatever else was thrown: a library may reject with a bare body, or with nothing. What a library hangs on its errors (the whole
 * connection, the request) is left out.
 */
function serializeError(error: unknown): unknown {
  if (!(error instanceof Error)) return redactFields(error);
  const facts = Object.entries({ ...stdSerializers.err(error) });
  return redactFields(Object.fromEntries(facts.filter(([, fact]) => !isInstance(fact))));
}

function isInstance(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !isPlainObject(value);
}
