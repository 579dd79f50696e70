/** Reads Pipedrive's uninstall notice: whose credentials it bears, and which user of which company it names. Pure. */

import { createHash, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';

/** Types are not documented: numbers and strings are taken. */
const pipedriveId = z.coerce.number().int().positive().max(Number.MAX_SAFE_INTEGER);
const noticeSchema = z.object({ client_id: z.string(), company_id: pipedriveId, user_id: pipedriveId });

export interface UninstallNotice {
  readonly companyId: number;
  readonly userId: number;
}

/** The notice in a body, parsed already or as text; null when it is none, or is about another app. */
export function readUninstallNotice(body: unknown, clientId: string): UninstallNotice | null {
  const notice = noticeSchema.safeParse(typeof body === 'string' ? parseOrNull(body) : body);
  if (!notice.success || notice.data.client_id !== clientId) return null;
  return { companyId: notice.data.company_id, userId: notice.data.user_id };
}

/** Whether an `Authorization` header bears the app's own client id and secret; compared in constant time. */
export function hasClientCredentials(header: string | undefined, clientId: string, clientSecret: string): boolean {
  const encoded = /^basic\s+(\S+)$/i.exec(header ?? '')?.[1] ?? '';
  return timingSafeEqual(sha256(Buffer.from(encoded, 'base64')), sha256(Buffer.from(`${clientId}:${clientSecret}`)));
}

function sha256(bytes: Buffer): Buffer {
  return createHash('sha256').update(bytes).digest();
}

function parseOrNull(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Not JSON: no notice, and the route says so in the log.
    return null;
  }
}
