/** Remembers credentials for seconds, so that intake asks the database once per subscription and not per webhook. */

import type { SenderCredential, SenderSource, SigningSecret } from './verify-sender';

const KNOWN_MS = 15_000;
/** An unknown user is asked for again soon: a webhook may arrive while its row is being written. */
const UNKNOWN_MS = 1_000;
const MAX_ENTRIES = 20_000;

interface Entry<T> {
  readonly value: Promise<T | null>;
  expiresAtMs: number;
}

/** A `SenderSource` that asks `source` at most once per key and life time; failures are not remembered. */
export function makeSenderCache(source: SenderSource, nowMs: () => number): SenderSource {
  const credentials = new Map<string, Entry<SenderCredential>>();
  const secrets = new Map<string, Entry<SigningSecret>>();
  return {
    findCredential: (authUser) => remember(credentials, authUser, () => source.findCredential(authUser), nowMs),
    findSigningSecret: (publicId) => remember(secrets, publicId, () => source.findSigningSecret(publicId), nowMs),
  };
}

function remember<T>(
  cache: Map<string, Entry<T>>,
  key: string,
  ask: () => Promise<T | null>,
  nowMs: () => number,
): Promise<T | null> {
  const cached = cache.get(key);
  if (cached !== undefined && cached.expiresAtMs > nowMs()) return cached.value;
  if (cache.size >= MAX_ENTRIES) cache.clear();
  const entry: Entry<T> = { value: ask(), expiresAtMs: nowMs() + KNOWN_MS };
  cache.set(key, entry);
  entry.value.then(
    (found) => {
      if (found === null) entry.expiresAtMs = nowMs() + UNKNOWN_MS;
    },
    () => {
      // The asker hears of the failure through `value`; here it only must not be remembered.
      cache.delete(key);
    },
  );
  return entry.value;
}
