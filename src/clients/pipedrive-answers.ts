/** What Pipedrive's API answers, parsed, and turned into the field names that its webhooks v2 use. Pure. */

import { z } from 'zod';
import { isObject, numberField, type RecordState } from '../core/record';

/** Ids come as numbers from the API, as strings in places. */
const idSchema = z.coerce.number().int().positive().max(Number.MAX_SAFE_INTEGER);
const rawRecord = z.record(z.string(), z.unknown());

export interface CurrentUser {
  readonly userId: number;
  readonly userName: string;
  readonly isAdmin: boolean;
  readonly companyId: number;
  readonly companyName: string;
  /** One DNS label: checked, since redirects and links are built from it. */
  readonly companyDomain: string;
  /** Pipedrive's locale, such as `et_EE`. */
  readonly locale: string;
  /** IANA time zone. */
  readonly timeZone: string;
  /** ISO 4217. */
  readonly baseCurrency: string;
}

/** `users/me`: admins are told by `access[]` (app `global`); the older prose page still shows `is_admin: 1`. */
export const currentUserAnswer = z
  .object({
    data: z.object({
      id: idSchema,
      name: z.string().catch(''),
      company_id: idSchema,
      company_name: z.string().catch(''),
      company_domain: z.string().regex(/^[a-z0-9](?:[a-z0-9_-]*[a-z0-9])?$/i),
      locale: z.string().min(2).catch('en_US'),
      timezone_name: z.string().refine(isTimeZone).catch('UTC'),
      default_currency: z
        .string()
        .regex(/^[A-Z]{3}$/)
        .catch('USD'),
      access: z.array(z.object({ app: z.string(), admin: z.boolean().catch(false) }).catch({ app: '', admin: false })).catch([]),
      is_admin: z.union([z.boolean(), z.number()]).optional().catch(undefined),
    }),
  })
  .transform(({ data: user }): CurrentUser => ({
    userId: user.id,
    userName: user.name,
    isAdmin: user.access.some(({ app, admin }) => app === 'global' && admin) || user.is_admin === true || user.is_admin === 1,
    companyId: user.company_id,
    companyName: user.company_name === '' ? user.company_domain : user.company_name,
    companyDomain: user.company_domain.toLowerCase(),
    locale: user.locale,
    timeZone: user.timezone_name,
    baseCurrency: user.default_currency,
  }));

/** A webhook as Pipedrive lists it; its credentials cannot be read back. */
export interface ListedWebhook {
  readonly remoteId: number;
  readonly eventObject: string;
  readonly eventAction: string;
  readonly subscriptionUrl: string;
  readonly version: string | null;
  readonly isActive: boolean;
  readonly lastDelivery: LastDelivery | null;
}

/** What came of the last event that Pipedrive sent to a webhook. */
export interface LastDelivery {
  /** As Pipedrive writes it. */
  readonly at: string;
  /** Null: there was no answer. */
  readonly httpStatus: number | null;
}

const webhookSchema = z
  .object({
    id: idSchema,
    event_object: z.string(),
    event_action: z.string(),
    subscription_url: z.string(),
    version: z.coerce.string().nullish(),
    is_active: z.union([z.boolean(), z.number()]).nullish(),
    last_delivery_time: z.string().min(1).nullish().catch(null),
    last_http_status: z.coerce.number().int().positive().nullish().catch(null),
  })
  .transform((webhook): ListedWebhook => ({
    remoteId: webhook.id,
    eventObject: webhook.event_object,
    eventAction: webhook.event_action,
    subscriptionUrl: webhook.subscription_url,
    version: webhook.version ?? null,
    isActive: webhook.is_active !== 0 && webhook.is_active !== false,
    lastDelivery:
      webhook.last_delivery_time == null
        ? null
        : { at: webhook.last_delivery_time, httpStatus: webhook.last_http_status ?? null },
  }));

export const webhooksAnswer = z.object({ data: z.array(webhookSchema).nullable() }).transform(({ data }) => data ?? []);
export const addedWebhookAnswer = z.object({ data: z.object({ id: idSchema }) }).transform(({ data }) => data.id);
export const anyAnswer = z.unknown().transform(() => true);

/** One record, in webhook field names. */
export function oneAnswer(asWebhook: (raw: RecordState) => RecordState) {
  return z.object({ data: rawRecord }).transform(({ data }) => asWebhook(data));
}

export interface RecordPage {
  readonly records: readonly RecordState[];
  readonly nextCursor: string | null;
}

/** A page of records, in webhook field names. */
export function pageAnswer(asWebhook: (raw: RecordState) => RecordState) {
  return z
    .object({
      data: z.array(rawRecord).nullable(),
      additional_data: z
        .object({ next_cursor: z.string().min(1).nullish().catch(null) })
        .nullish()
        .catch(null),
    })
    .transform(({ data, additional_data: more }): RecordPage => ({
      records: (data ?? []).map((raw) => asWebhook(raw)),
      nextCursor: more?.next_cursor ?? null,
    }));
}

/** A page of API v1, which counts from a start: at the top of `additional_data` for leads, in `pagination` for notes. */
export function startedPageAnswer(start: number, limit: number, asWebhook: (raw: RecordState) => RecordState) {
  const paging = z.object({ more_items_in_collection: z.boolean().catch(false) });
  return z
    .object({
      data: z.array(rawRecord).nullable(),
      additional_data: z
        .union([z.object({ pagination: paging }).transform(({ pagination }) => pagination), paging])
        .nullish()
        .catch(null),
    })
    .transform(({ data, additional_data: more }): RecordPage => ({
      records: (data ?? []).map((raw) => asWebhook(raw)),
      nextCursor: more?.more_items_in_collection === true ? String(start + limit) : null,
    }));
}

/** What all deals of one currency are worth together, and what Pipedrive makes of that in the company's own currency. */
export interface CurrencySum {
  readonly currency: string;
  readonly value: number;
  /** Null when Pipedrive does not convert this currency. */
  readonly valueConverted: number | null;
}

/** `deals/summary`: nothing in it names the company's own currency. Without deals `values_total` may come as `[]` or null. */
export const dealsSummaryAnswer = z
  .object({ data: z.object({ values_total: z.unknown().optional() }) })
  .transform(({ data }): readonly CurrencySum[] =>
    Object.entries(isObject(data.values_total) ? data.values_total : {}).flatMap(([currency, sum]) => {
      const value = isObject(sum) ? numberField(sum, 'value') : null;
      if (!isObject(sum) || value === null || !/^[\p{L}\p{N}]{1,10}$/u.test(currency)) return [];
      return [{ currency, value, valueConverted: numberField(sum, 'value_converted') }];
    }),
  );

const USER_FIELDS = ['id', 'name', 'email', 'active_flag', 'default_currency', 'locale', 'lang', 'timezone_name', 'icon_url'];

/** Only what names and formats need: telephone numbers and rights stay at Pipedrive. */
export function userAsWebhook(raw: RecordState): RecordState {
  return Object.fromEntries(USER_FIELDS.filter((field) => raw[field] !== undefined).map((field) => [field, raw[field]]));
}

/** API v2 says `is_deleted`, `is_deal_probability_enabled` where webhooks say `active_flag`, `deal_probability`. */
export function pipelineAsWebhook(raw: RecordState): RecordState {
  const { is_deleted: isDeleted, is_deal_probability_enabled: dealProbability, ...rest } = raw;
  return { ...rest, active_flag: isDeleted !== true, deal_probability: dealProbability };
}

/** API v2 says `days_to_rotten`, `is_deal_rot_enabled` where webhooks say `rotten_days`, `rotten_flag`. */
export function stageAsWebhook(raw: RecordState): RecordState {
  const { is_deleted: isDeleted, days_to_rotten: rottenDays, is_deal_rot_enabled: rottenFlag, ...rest } = raw;
  return { ...rest, active_flag: isDeleted !== true, rotten_days: rottenDays, rotten_flag: rottenFlag };
}

/**
 * Deals, persons, organizations, activities and leads. Custom fields are left out: the API gives bare values where webhooks give
 * `{type, value}` objects, and only the account's field definitions could tell which is which.
 */
export function recordAsWebhook(raw: RecordState): RecordState {
  const kept = Object.entries(raw).filter(([field]) => field !== 'custom_fields' && !/^[0-9a-f]{40}/.test(field));
  const state = Object.fromEntries(kept);
  return typeof state['visible_to'] === 'number' ? { ...state, visible_to: String(state['visible_to']) } : state;
}

/** A label of leads, under its UUID. */
export function leadLabelAsWebhook(raw: RecordState): RecordState {
  return { id: raw['id'], name: raw['name'] };
}

/** The same in a list of changed records, with the bare custom fields for whoever knows their types. */
export function listedAsWebhook(raw: RecordState): RecordState {
  return { ...recordAsWebhook(raw), custom_fields: raw['custom_fields'] };
}

/** A field: `{id: field key, name, field_type, options: [{id, label}] | null}`. */
export function fieldAsWebhook(raw: RecordState): RecordState {
  return { id: raw['field_code'], name: raw['field_name'], field_type: raw['field_type'], options: raw['options'] ?? null };
}

/** An activity type, under the key by which activities name it. */
export function activityTypeAsWebhook(raw: RecordState): RecordState {
  return { id: raw['key_string'], name: raw['name'], active_flag: raw['active_flag'] };
}

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}
