/** Seals secrets for the database (JWE, A256GCM) so that each opens only for its own tenant and purpose. */

import { createHmac, hkdfSync } from 'node:crypto';
import { CompactEncrypt, compactDecrypt, type CompactJWEHeaderParameters } from 'jose';
import type { ZodType } from 'zod';
import { AppError, SECRET_UNREADABLE } from '../core/errors';

export interface SecretKey {
  /** Stands in the sealed text (`kid`), so that keys can be rotated. */
  readonly id: string;
  /** 32 bytes. */
  readonly key: Uint8Array;
}

export interface SecretBox {
  /** Seals any JSON value with the first key. */
  seal(tenantId: number, purpose: string, value: unknown): Promise<string>;
  /** Opens with whichever key sealed it. Throws AppError `secret_unreadable` on another tenant, purpose, key, shape or a changed text. */
  open<T>(tenantId: number, purpose: string, sealed: string, schema: ZodType<T>): Promise<T>;
  /**
   * HMAC-SHA256 by which equal secrets are found without opening any. Made with the oldest key (the last one listed), so that
   * putting a new key in front changes no digest.
   */
  digest(text: string): Buffer;
}

const KEY_BYTES = 32;

/** The first key seals, all open. Throws AppError when there is no key, or one is not 32 bytes long. */
export function makeSecretBox(keys: readonly SecretKey[]): SecretBox {
  const [sealingKey] = keys;
  const oldestKey = keys.at(-1);
  if (sealingKey === undefined || oldestKey === undefined)
    throw new AppError('encryption_keys', 'No encryption key is configured.');
  for (const { id, key } of keys) {
    if (key.byteLength !== KEY_BYTES)
      throw new AppError('encryption_keys', `Encryption key "${id}" is not ${KEY_BYTES} bytes long.`);
  }
  const keyById = new Map(keys.map(({ id, key }) => [id, key]));
  const digestKey = Buffer.from(hkdfSync('sha256', oldestKey.key, '', 'dealbell digest', KEY_BYTES));

  return {
    seal: async (tenantId, purpose, value) =>
      new CompactEncrypt(new TextEncoder().encode(JSON.stringify(value)))
        .setProtectedHeader({ alg: 'dir', enc: 'A256GCM', kid: sealingKey.id, tenant: tenantId, purpose })
        .encrypt(sealingKey.key),

    async open(tenantId, purpose, sealed, schema) {
      const { plaintext, protectedHeader } = await decrypt(sealed, keyById);
      // The header is authenticated with the text, so a row copied to another tenant cannot claim to belong there.
      if (protectedHeader['tenant'] !== tenantId || protectedHeader['purpose'] !== purpose) {
        throw unreadable('it was sealed for another tenant or purpose');
      }
      const opened = schema.safeParse(parseJson(plaintext));
      if (!opened.success) throw unreadable('its content has another shape');
      return opened.data;
    },

    digest: (text) => createHmac('sha256', digestKey).update(text).digest(),
  };
}

async function decrypt(sealed: string, keyById: ReadonlyMap<string, Uint8Array>) {
  try {
    return await compactDecrypt(sealed, (header: CompactJWEHeaderParameters) => keyOf(header, keyById), {
      keyManagementAlgorithms: ['dir'],
      contentEncryptionAlgorithms: ['A256GCM'],
    });
  } catch (error) {
    if (error instanceof AppError) throw error;
    // The cause stays out: nothing about the sealed text may reach a log.
    throw unreadable('it is damaged, or its key was exchanged for another one of the same id');
  }
}

function keyOf(header: CompactJWEHeaderParameters, keyById: ReadonlyMap<string, Uint8Array>): Uint8Array {
  const key = keyById.get(header.kid ?? '');
  if (key === undefined) throw unreadable(`its encryption key "${header.kid ?? 'none'}" is not in ENCRYPTION_KEYS`);
  return key;
}

function parseJson(bytes: Uint8Array): unknown {
  return JSON.parse(new TextDecoder().decode(bytes));
}

function unreadable(why: string): AppError {
  return new AppError(SECRET_UNREADABLE, `A stored secret cannot be opened: ${why}.`);
}
