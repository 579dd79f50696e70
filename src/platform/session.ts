/** Sessions of a browser outside Pipedrive (install state, later the operator's sign-in), kept in the table `session`. */

import connectPgSimple from 'connect-pg-simple';
import type { RequestHandler } from 'express';
import session from 'express-session';
import type { Logger } from 'pino';
import type { Database } from './database';

interface SessionNeeds {
  readonly pool: Database['pool'];
  readonly secret: string;
  readonly cookieName: string;
  /** The path below which the browser shows the cookie. */
  readonly path: string;
  readonly lifeMs: number;
  /** True when the public address is https. */
  readonly isSecure: boolean;
  readonly log: Logger;
}

export interface Sessions {
  readonly middleware: RequestHandler;
  /** Ends the timer that removes expired sessions. */
  close(): void;
}

/** Nothing is stored and no cookie is set before something is written into the session. */
export function makeSessions({ pool, secret, cookieName, path, lifeMs, isSecure, log }: SessionNeeds): Sessions {
  const PgStore = connectPgSimple(session);
  const store = new PgStore({
    pool,
    tableName: 'session',
    ttl: Math.ceil(lifeMs / 1000),
    errorLog: (...args: unknown[]) => log.error({ details: args.map(String) }, 'session store failed'),
  });
  const handler = session({
    store,
    secret,
    name: cookieName,
    resave: false,
    saveUninitialized: false,
    proxy: true,
    cookie: { httpOnly: true, sameSite: 'lax', secure: isSecure, path, maxAge: lifeMs },
  });
  return {
    middleware: (request, response, next) => {
      // The operator says that the public side is https, whatever the last hop before us speaks; without this word the
      // secure cookie would silently not be set behind a proxy that does not tell the protocol.
      if (isSecure) request.headers['x-forwarded-proto'] ??= 'https';
      handler(request, response, next);
    },
    close: () => {
      store.close();
    },
  };
}
