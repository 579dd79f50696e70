/** Opens a destination's sealed key and token; each stored text is opened once and kept while it is used. */

import { z } from 'zod';
import { isUnreadableSecret } from '../core/errors';
import type { TenantId } from '../core/tenant';

export interface ChatCredentials {
  readonly key: string;
  readonly token: string;
}

/** What a Chat webhook's key and token are sealed for. */
export const CREDENTIALS_PURPOSE = 'chat-webhook';
const MAX_KEPT = 5_000;

const credentials = z.object({ key: z.string(), token: z.string() });

export type OpenDestination = (tenantId: TenantId, sealed: string) => Promise<ChatCredentials>;

/** Makes the opener. It rejects when the text was sealed for another tenant or by a key that is gone. */
export function makeOpenDestination(box: {
  open<T>(tenantId: number, purpose: string, sealed: string, schema: z.ZodType<T>): Promise<T>;
}): OpenDestination {
  const kept = new Map<string, Promise<ChatCredentials>>();
  return (tenantId, sealed) => {
    const key = `${tenantId} ${sealed}`;
    const known = kept.get(key);
    if (known !== undefined) return known;
    if (kept.size >= MAX_KEPT) kept.clear();
    const opening = box.open(tenantId, CREDENTIALS_PURPOSE, sealed, credentials);
    kept.set(key, opening);
    opening.catch(() => {
      // Its asker is told; only the failure must not be kept.
      kept.delete(key);
    });
    return opening;
  };
}

/** Null: the key cannot be opened. Rejects when that was not to be found out. */
export async function openIfReadable(open: () => Promise<ChatCredentials>): Promise<ChatCredentials | null> {
  try {
    return await open();
  } catch (error) {
    if (isUnreadableSecret(error)) return null;
    throw error;
  }
}
