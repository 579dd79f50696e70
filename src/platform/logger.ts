/** The process's log: JSON lines on stdout, secrets redacted in this one place. */

import { pino, stdSerializers, type DestinationStream, type Logger } from 'pino';

/** What must never stand in a log, whatever object it hangs on. */
const SECRET_PATHS = [
  'authorization',
  'cookie',
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
].flatMap((name) => [name, `*.${name}`]);

const HTTP_SECRET_PATHS = [
  'req.headers.authorization',
  'req.headers.cookie',
  'req.headers["x-api-token"]',
  'res.headers["set-cookie"]',
];

/** Replaces credentials inside running text: Chat webhook URLs, bearer tokens, keys of ours, query tokens. */
export function redactText(text: string): string {
  return text
    .replace(/([?&](?:key|token|code|state|access_token|refresh_token|api_token)=)[^&\s"'<>]+/gi, '$1***')
    .replace(/\b(Bearer|Basic)\s+[A-Za-z0-9+/=._~:-]{6,}/g, '$1 ***')
    .replace(/\bdbk_[A-Za-z0-9_-]+/g, 'dbk_***')
    .replace(/(postgres(?:ql)?|rediss?):\/\/([^:@\s/]*):[^@\s]*@/g, '$1://$2:***@');
}

/** Makes the logger. `destination` is for tests; the default is stdout. */
export function makeLogger(level: string, destination?: DestinationStream): Logger {
  return pino(
    {
      level,
      base: null,
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      redact: { paths: [...SECRET_PATHS, ...HTTP_SECRET_PATHS], censor: '***' },
      serializers: { err: serializeError, error: serializeError },
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

function serializeError(error: Error): object {
  const serialized = stdSerializers.err(error);
  return { ...serialized, message: redactText(serialized.message), stack: redactText(serialized.stack) };
}
