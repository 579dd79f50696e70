/** Webhook bodies by hand, posted with the credentials that Dealbell registered at the stand-in Pipedrive. */

import { randomUUID } from 'node:crypto';
import { DEMO_COMPANY_ID } from '../fakes/pipedrive/seed-crm';
import type { World } from './world';

export interface RawWebhook {
  readonly data: unknown;
  readonly previous: unknown;
  readonly meta: Readonly<Record<string, unknown>>;
}

/** A v2 body as Pipedrive sends it; `meta` overrides what is filled in. */
export function rawWebhook(
  entity: string,
  action: 'create' | 'change' | 'delete',
  entityId: number | string,
  { data = null, previous = null, ...meta }: { data?: unknown; previous?: unknown } & Readonly<Record<string, unknown>> = {},
): RawWebhook {
  const usual = {
    action,
    company_id: '8087566',
    correlation_id: randomUUID(),
    entity_id: String(entityId),
    entity,
    id: randomUUID(),
    is_bulk_edit: false,
    timestamp: new Date().toISOString(),
    type: 'application',
    user_id: '12415231',
    version: '2.0',
    webhook_id: '1',
    webhook_owner_id: '12415231',
    change_source: 'app',
    attempt: 1,
    host: 'companyname.pipedrive.com',
  };
  return { data, previous, meta: { ...usual, ...meta } };
}

interface Answer {
  readonly status: number | null;
  readonly body: string;
}

/** Posts a body (text goes as it is) as the webhook of that company for that object, products as the deals' one. */
export async function postAs(world: World, body: unknown, companyId = DEMO_COMPANY_ID, object = 'deal'): Promise<Answer> {
  const webhook = registered(world, companyId, object);
  const outcome = await world.pipedrive.sendRaw(webhook.id, body);
  return outcome.status === null ? { status: null, body: outcome.reason } : outcome;
}

/** The `Authorization` header of a registered webhook. */
export function credentialsOf(world: World, companyId = DEMO_COMPANY_ID, object = 'deal'): string {
  const webhook = registered(world, companyId, object);
  const pair = `${webhook.httpAuthUser ?? ''}:${webhook.httpAuthPassword ?? ''}`;
  return `Basic ${Buffer.from(pair).toString('base64')}`;
}

function registered(world: World, companyId: number, object: string) {
  const found = [...world.pipedrive.webhooks.values()].find((one) => one.companyId === companyId && one.eventObject === object);
  if (found === undefined) throw new Error(`company ${companyId} has no webhook for ${object}`);
  return found;
}
