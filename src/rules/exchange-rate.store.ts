/** Exchange rates in the table `records`: one row of entity `exchangeRate` per currency, with the base it was read in and its date. */

import type { Pool, PoolClient } from 'pg';
import type { ExchangeRates } from '../core/exchange-rates';
import type { TenantId } from '../core/tenant';

const LOAD = `
  SELECT entity_id AS currency, (state->>'rate')::float8 AS rate, (state->>'asOf')::timestamptz AS "asOf"
    FROM records WHERE tenant_id = $1 AND entity = 'exchangeRate' AND state->>'base' = $2`;
const SAVE = `
  INSERT INTO records (tenant_id, entity, entity_id, state, refreshed_at)
  SELECT $1, 'exchangeRate', read.currency, jsonb_build_object('rate', read.rate, 'base', $4::text, 'asOf', read.as_of), read.as_of
    FROM unnest($2::text[], $3::float8[], $5::timestamptz[]) AS read (currency, rate, as_of)
   WHERE EXISTS (SELECT FROM tenants WHERE id = $1)
  ON CONFLICT (tenant_id, entity, entity_id) DO UPDATE SET state = excluded.state, refreshed_at = excluded.refreshed_at
  WHERE records.refreshed_at <= excluded.refreshed_at`;

/**
 * A tenant's rates into `baseCurrency`, in one statement; also inside the router's transaction. Rates that were read while the
 * company had another base currency are of no use and left out.
 */
export async function loadRates(client: Pool | PoolClient, tenantId: TenantId, baseCurrency: string): Promise<ExchangeRates> {
  const { rows } = await client.query<{ currency: string; rate: number; asOf: Date }>(LOAD, [tenantId, baseCurrency]);
  return { base: baseCurrency, perUnit: new Map(rows.map(({ currency, rate, asOf }) => [currency, { rate, asOf }])) };
}

/** Keeps these rates, unless the tenant was erased; a currency that is not among them keeps its older one. */
export async function saveRates(client: Pool | PoolClient, tenantId: TenantId, { base, perUnit }: ExchangeRates): Promise<void> {
  if (perUnit.size === 0) return;
  const rates = [...perUnit.values()];
  const values = [tenantId, [...perUnit.keys()], rates.map(({ rate }) => rate), base, rates.map(({ asOf }) => asOf)];
  await client.query(SAVE, values);
}
