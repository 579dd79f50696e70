/** The tenants of the benchmark: each with 20 rules that all listen to won deals, one per owner, and with known names. */

import { createHash, randomUUID } from 'node:crypto';
import { Client } from 'pg';
import { SIGNING_SECRET_PURPOSE } from '../../src/install/tenant.store';
import { CREDENTIALS_PURPOSE } from '../../src/delivery/open-destination';
import { makeSecretBox, type SecretKey } from '../../src/platform/secret-box';
import { FIRST_OWNER_ID, NAMED_RECORDS, OWNERS_PER_TENANT } from './deal-events';

export const TENANTS = 10;
/** Of the first tenant, at Pipedrive; the others follow. */
export const FIRST_COMPANY_ID = 12_345;
/** One space for each owner of each tenant. */
export const SPACES = TENANTS * OWNERS_PER_TENANT;

const PASSWORD = 'a password for the benchmark only';

/** The Basic credentials of tenant number `index`'s webhooks. */
export function authorizationOf(index: number): string {
  return `Basic ${Buffer.from(`bench-${index}:${PASSWORD}`).toString('base64')}`;
}

const TENANT = `
  INSERT INTO tenants (public_id, company_id, company_name, company_domain, locale, time_zone, base_currency, sealed_signing_secret)
  VALUES ($1, $2, $3, $4, 'en-GB', 'Europe/Berlin', 'EUR', 'unused') RETURNING id`;
const CONNECTION = `
  INSERT INTO pipedrive_connections (tenant_id, user_id, user_name, kind, sealed_tokens, scopes, api_domain, is_admin, state)
  VALUES ($1, ${FIRST_OWNER_ID}, 'Ana', 'api_token', 'unused', '{}', 'http://127.0.0.1:9', true, 'revoked') RETURNING id`;
const SUBSCRIPTION = `
  INSERT INTO pipedrive_webhooks (tenant_id, connection_id, event_object, event_action, subscription_url, auth_user, credential_hash, state)
  VALUES ($1, $2, 'deal', '*', 'http://127.0.0.1/webhook/pipedrive', $3, $4, 'active')`;
const DESTINATION = `
  INSERT INTO chat_webhooks (tenant_id, name, space_id, sealed_credentials, credentials_digest)
  VALUES ($1, $2, $3, $4, $5) RETURNING id`;
const RULE = `
  WITH rule AS (
    INSERT INTO rules (tenant_id, name, event_type, filters, template_mode, position, enabled_at)
    VALUES ($1::int, $2, 'deal.won', $3::jsonb, 'detailed', $4, '2020-01-01') RETURNING id
  ) INSERT INTO rule_targets (rule_id, chat_webhook_id, tenant_id) SELECT id, $5::int, $1::int FROM rule`;
const NAMES = `
  INSERT INTO records (tenant_id, entity, entity_id, state, occurred_at)
  SELECT $1::int, entity, id::text, jsonb_build_object('id', id, 'name', initcap(entity) || ' ' || id, 'order_nr', 1, 'pipeline_id', 1), now()
    FROM (SELECT unnest(ARRAY['person', 'organization', 'stage', 'pipeline']) AS entity) entities, generate_series(1, ${NAMED_RECORDS}) AS id
  UNION ALL
  SELECT $1::int, 'user', id::text, jsonb_build_object('id', id, 'name', 'User ' || id), now()
    FROM generate_series(${FIRST_OWNER_ID}, ${FIRST_OWNER_ID + OWNERS_PER_TENANT}) AS id`;

/** Fills an empty, migrated database. */
export async function seedTenants(databaseUrl: string, encryptionKeys: string, webhookUrls: readonly string[]): Promise<void> {
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    await client.query('BEGIN');
    for (let index = 0; index < TENANTS; index += 1) {
      const urls = webhookUrls.slice(index * OWNERS_PER_TENANT, (index + 1) * OWNERS_PER_TENANT);
      await seedTenant(client, index, encryptionKeys, urls);
    }
    await client.query('INSERT INTO google_spaces (space_id) SELECT DISTINCT space_id FROM chat_webhooks');
    await client.query('COMMIT');
  } finally {
    await client.end();
  }
}

async function seedTenant(client: Client, index: number, encryptionKeys: string, urls: readonly string[]): Promise<void> {
  const company = FIRST_COMPANY_ID + index;
  const tenantId = await idOf(client, TENANT, [randomUUID(), company, `Bench ${index}`, `bench-${index}`]);
  const box = makeSecretBox(keysOf(encryptionKeys));
  const sealed = await box.seal(tenantId, SIGNING_SECRET_PURPOSE, PASSWORD);
  await client.query('UPDATE tenants SET sealed_signing_secret = $2 WHERE id = $1', [tenantId, sealed]);
  const connectionId = await idOf(client, CONNECTION, [tenantId]);
  const hash = createHash('sha256').update(PASSWORD).digest();
  await client.query(SUBSCRIPTION, [tenantId, connectionId, `bench-${index}`, hash]);
  await client.query(NAMES, [tenantId]);
  for (const [position, url] of urls.entries()) {
    const webhookId = await seedDestination(client, tenantId, encryptionKeys, url);
    const filters = JSON.stringify({ ownerIds: [FIRST_OWNER_ID + position] });
    await client.query(RULE, [tenantId, `Won by owner ${position}`, filters, position, webhookId]);
  }
}

async function seedDestination(client: Client, tenantId: number, encryptionKeys: string, url: string): Promise<number> {
  const box = makeSecretBox(keysOf(encryptionKeys));
  const { pathname, searchParams } = new URL(url);
  const spaceId = pathname.split('/')[3] ?? '';
  const sealed = await box.seal(tenantId, CREDENTIALS_PURPOSE, {
    key: searchParams.get('key'),
    token: searchParams.get('token'),
  });
  return idOf(client, DESTINATION, [tenantId, `Space ${spaceId}`, spaceId, sealed, box.digest(url)]);
}

function keysOf(encryptionKeys: string): readonly SecretKey[] {
  return encryptionKeys.split(',').map((item) => {
    const [id = '', key = ''] = item.split(':');
    return { id, key: Buffer.from(key, 'base64') };
  });
}

async function idOf(client: Client, sql: string, values: readonly unknown[]): Promise<number> {
  const { rows } = await client.query<{ id: number }>(sql, [...values]);
  const id = rows[0]?.id;
  if (id === undefined) throw new Error('a seed row was not made');
  return id;
}
