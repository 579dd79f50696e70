/** A record is a Pipedrive object as last known; this file gives tolerant, typed readings of its raw fields. */

import { z } from 'zod';

/** Objects of which Dealbell tells. */
export const RECORD_ENTITIES = ['deal', 'lead', 'person', 'organization', 'activity', 'note'] as const;
export type RecordEntity = (typeof RECORD_ENTITIES)[number];

/** The objects for which a webhook is registered, in the contract's order; the last three only give names to ids. */
export const WEBHOOK_ENTITIES = [...RECORD_ENTITIES, 'stage', 'pipeline', 'user'] as const;
export type WebhookEntity = (typeof WEBHOOK_ENTITIES)[number];

/** Raw fields as Pipedrive's webhooks v2 name them (deal: `owner_id`, lead: `organization_id`, ...). */
export type RecordState = Readonly<Record<string, unknown>>;

/** An amount in major units with its ISO 4217 currency; the currency is null when Pipedrive names none. */
export interface Money {
  readonly amount: number;
  readonly currency: string | null;
}

/** A whole number, also out of a numeric string (ids in `meta` and of users are strings); null otherwise. */
export function idField(state: RecordState, field: string): number | null {
  const value = state[field];
  const number = typeof value === 'string' && /^\d{1,15}$/.test(value) ? Number(value) : value;
  return typeof number === 'number' && Number.isSafeInteger(number) ? number : null;
}

/** A finite number, also out of a numeric string; null otherwise. */
export function numberField(state: RecordState, field: string): number | null {
  const value = state[field];
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  return typeof number === 'number' && Number.isFinite(number) ? number : null;
}

/** A non-empty string; null otherwise. */
export function textField(state: RecordState, field: string): string | null {
  const value = state[field];
  return typeof value === 'string' && value.trim() !== '' ? value : null;
}

/** True only for `true`, 1 and "1": Pipedrive's flags come in all three. */
export function flagField(state: RecordState, field: string): boolean {
  const value = state[field];
  return value === true || value === 1 || value === '1';
}

/** The ids of a list field such as `label_ids` (numbers for deals, UUID strings for leads, once "24,25"); empty otherwise. */
export function listField(state: RecordState, field: string): readonly (number | string)[] {
  const value = state[field];
  if (typeof value === 'string') return value.split(',').flatMap((item) => item.trim() || []);
  if (!Array.isArray(value)) return [];
  return value.filter((item): item is number | string => typeof item === 'number' || typeof item === 'string');
}

/** True for a plain JSON object. */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A record out of the ledger. Not `z.record`, which copies it and leaves out a field called `__proto__`. */
export const recordStateSchema = z.custom<RecordState>(isObject);

/** A record's value: deals say `value` and `currency`, leads `value: {amount, currency}`; null when unset. */
export function moneyOf(state: RecordState): Money | null {
  const value = state['value'];
  if (isObject(value)) return moneyFrom(value, 'amount');
  return moneyFrom(state, 'value');
}

function moneyFrom(source: RecordState, amountField: string): Money | null {
  const amount = numberField(source, amountField);
  return amount === null ? null : { amount, currency: textField(source, 'currency') };
}

/** Who is responsible for a record: `owner_id`, for notes the author in `user_id`. */
export function ownerIdOf(state: RecordState): number | null {
  return idField(state, 'owner_id') ?? idField(state, 'user_id');
}

/** The organization: `org_id`, for leads `organization_id`. */
export function organizationIdOf(state: RecordState): number | null {
  return idField(state, 'org_id') ?? idField(state, 'organization_id');
}

/** What people call a record: `title` (deal, lead), `name` (person, organization, stage, ...), `subject` (activity). */
export function titleOf(state: RecordState): string | null {
  return textField(state, 'title') ?? textField(state, 'name') ?? textField(state, 'subject');
}
