/** Dealbell as composed for production, in a process of its own; only the quota's interval is set from outside. */

import { z } from 'zod';
import { compose } from '../../src/compose';
import { readConfig } from '../../src/config';
import { makeLogger } from '../../src/platform/logger';
import { serveParent, settingsOf } from './child-process';

export const appSettings = z.object({
  databaseUrl: z.string(),
  redisUrl: z.string().nullable(),
  chatOrigin: z.string(),
  encryptionKeys: z.string(),
  web: z.boolean(),
  worker: z.boolean(),
  spaceIntervalMs: z.number(),
  settleMs: z.number(),
  /** No bell rings: the sweep has to do it. */
  isSilent: z.boolean(),
  /** No other process works on this database. */
  isAlone: z.boolean(),
});
export type AppSettings = z.infer<typeof appSettings>;

/** Of the stand-in for our app at Pipedrive; it signs what opens a page. */
export const CLIENT_SECRET = 'a secret for the benchmark only';

async function main(): Promise<void> {
  const settings = settingsOf(appSettings);
  const config = readConfig({
    PORT: '0',
    HOST: '127.0.0.1',
    DATABASE_URL: settings.databaseUrl,
    ...(settings.redisUrl === null ? {} : { REDIS_URL: settings.redisUrl }),
    PIPEDRIVE_CLIENT_ID: 'bench',
    PIPEDRIVE_CLIENT_SECRET: CLIENT_SECRET,
    GOOGLE_CHAT_ORIGIN: settings.chatOrigin,
    ENCRYPTION_KEYS: settings.encryptionKeys,
    SESSION_SECRET: 'a secret for the benchmark only',
    SETTLE_MS: String(settings.settleMs),
  });
  const app = await compose(
    {
      config: { ...config, spaceIntervalMs: settings.spaceIntervalMs },
      log: makeLogger(config.logLevel),
      databaseUrl: settings.databaseUrl,
      isAlone: settings.isAlone,
      isSilent: settings.isSilent,
      errors: { report: (error) => console.error(error), close: () => Promise.resolve() },
      version: 'bench',
    },
    { web: settings.web, worker: settings.worker },
  );
  serveParent(app.port ?? 0, () => app.close());
}

if (require.main === module) {
  main().catch((error: unknown) => {
    console.error(error);
    process.exit(1);
  });
}
