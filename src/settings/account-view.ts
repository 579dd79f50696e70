/** The account in words: usage, keys, who changed what, how the comparison with Pipedrive stands. Pure. */

import { z } from 'zod';
import type { AccountView, AdminView, ApiKeyView, AuditView } from '../../views/settings/account';
import type { TenantProfile } from '../core/tenant';
import { localeOptions } from './space-form-view';
import { languageName } from './space-view';
import { capitalized, counted, dayWords, momentWords, sentence } from './words';

const moment = z.coerce.date();

/** What `GET /account` answers. */
export const accountAnswer = z.object({
  tenant: z.object({ locale: z.string(), timeZone: z.string(), baseCurrency: z.string() }),
  limits: z.object({ destinations: z.int(), activeRules: z.int(), apiKeys: z.int(), watches: z.int() }),
  usage: z.object({ destinations: z.int(), activeRules: z.int(), apiKeys: z.int(), watches: z.int() }),
  settings: z.object({ locale: z.string().nullable(), timeZone: z.string().nullable() }),
  retentionDays: z.int(),
  webhook: z.object({ tenantPublicId: z.string(), signingSecret: z.string() }).optional(),
});
export type AccountAnswer = z.infer<typeof accountAnswer>;

export const keysAnswer = z.object({
  items: z.array(
    z.object({ id: z.int(), name: z.string(), prefix: z.string(), createdAt: moment, lastUsedAt: moment.nullable() }),
  ),
});

export const auditAnswer = z.object({
  items: z.array(
    z.object({
      id: z.number(),
      actor: z.string(),
      action: z.string(),
      subject: z.string(),
      changes: z.unknown(),
      createdAt: moment,
    }),
  ),
  nextCursor: z.string().nullable(),
});
export type AuditEntry = z.infer<typeof auditAnswer>['items'][number];

export const comparisonAnswer = z.object({
  state: z.enum(['waiting', 'running', 'failed', 'ok']),
  reason: z.string().nullable(),
  comparedUntil: moment.nullable(),
  nextRunAt: moment.nullable(),
});
export type ComparisonAnswer = z.infer<typeof comparisonAnswer>;

export function usageOf({ usage, limits }: AccountAnswer): AccountView['usage'] {
  return [
    { label: 'Spaces', used: usage.destinations, limit: limits.destinations },
    { label: 'Active rules', used: usage.activeRules, limit: limits.activeRules },
    { label: 'API keys', used: usage.apiKeys, limit: limits.apiKeys },
    { label: 'Watched records', used: usage.watches, limit: limits.watches },
  ];
}

/** `typed` is what was refused and shall stand again. */
export function settingsOf(
  { settings, tenant }: AccountAnswer,
  typed: { readonly locale: string; readonly timeZone: string } | null,
): AccountView['settings'] {
  const saved = { locale: settings.locale?.replaceAll('_', '-') ?? '', timeZone: settings.timeZone ?? '' };
  const shown = typed ?? saved;
  return {
    ...shown,
    pipedriveLanguage: languageName(tenant.locale),
    pipedriveTimeZone: tenant.timeZone,
    locales: localeOptions(shown.locale),
    timeZones: Intl.supportedValuesOf('timeZone'),
    currency: tenant.baseCurrency,
  };
}

export function keyViews({ items }: z.infer<typeof keysAnswer>, tenant: TenantProfile): ApiKeyView[] {
  return items.map(({ id, name, prefix, createdAt, lastUsedAt }) => ({
    ...{ id, name, prefix },
    used: `Made on ${dayWords(createdAt, tenant)}, ${lastUsedAt === null ? 'never used' : `last used ${momentWords(lastUsedAt, tenant)}`}`,
  }));
}

const DONE: Readonly<Record<string, string>> = {
  'account.connected': 'connected the company by an API token',
  'account.updated': 'changed the company settings',
  'api_key.created': 'made an API key',
  'api_key.deleted': 'deleted an API key',
  'chat_webhook.created': 'connected a space',
  'chat_webhook.updated': 'changed a space',
  'chat_webhook.deleted': 'deleted a space',
  'delivery.replayed': 'sent messages again',
  'record.announced': 'announced',
  'record.muted': 'muted',
  'record.unmuted': 'took the mute from',
  'record.watched': 'began to watch',
  'record.unwatched': 'stopped watching',
  'rule.created': 'made a rule',
  'rule.updated': 'changed a rule',
  'rule.deleted': 'deleted a rule',
  'rules.imported': 'imported rules',
};

const noted = z.object({
  name: z.string().nullish().catch(null),
  fields: z.array(z.string()).nullish().catch(null),
  queued: z.number().nullish().catch(null),
  created: z.number().nullish().catch(null),
});

/** Names as they are now: of users by id, of rules and spaces by what the trail calls them ("rule 7"). */
export interface AuditNames {
  readonly users: ReadonlyMap<string, string>;
  readonly subjects: ReadonlyMap<string, string>;
}

export function auditViews(entries: readonly AuditEntry[], names: AuditNames, tenant: TenantProfile): AuditView[] {
  return entries.map((entry) => ({
    when: momentWords(entry.createdAt, tenant),
    whenIso: entry.createdAt.toISOString(),
    who: whoOf(entry.actor, names),
    what: whatOf(entry, names),
  }));
}

function whoOf(actor: string, { users }: AuditNames): string {
  const userId = /^user (\d+)$/.exec(actor)?.[1];
  return userId === undefined ? capitalized(actor) : (users.get(userId) ?? `A former user (${userId})`);
}

function whatOf({ action, subject, changes }: AuditEntry, { subjects }: AuditNames): string {
  const { name, fields, queued, created } = noted.catch({}).parse(changes ?? {});
  const done = DONE[action] ?? action.replaceAll(/[._]/g, ' ');
  if (action.startsWith('record.')) return `${done} ${subjects.get(subject) ?? subject}`;
  if (typeof queued === 'number') return `${done}: ${counted(queued, 'message')}`;
  if (typeof created === 'number') return `${done}: ${counted(created, 'rule')}`;
  const called = name ?? subjects.get(subject) ?? (subject === 'account' ? null : subject);
  const which = called === null ? '' : ` ${called}`;
  return `${done}${which}${fields == null || fields.length === 0 ? '' : ` (${fields.map(fieldWords).join(', ')})`}`;
}

/** "quietHours" as people read it: "quiet hours". */
function fieldWords(field: string): string {
  return field.replaceAll(/([a-z])([A-Z])/g, '$1 $2').toLowerCase();
}

export function comparisonOf(
  { state, reason, comparedUntil, nextRunAt }: ComparisonAnswer,
  tenant: TenantProfile,
): AdminView['comparison'] {
  const until = comparedUntil === null ? 'Nothing was compared yet' : `Compared up to ${momentWords(comparedUntil, tenant)}`;
  const words = { waiting: `${until}; the first comparison is due`, running: `${until}; comparing right now`, ok: until };
  return {
    isTrouble: state === 'failed',
    state: sentence(state === 'failed' ? (reason ?? 'Pipedrive could not be asked') : words[state]),
    next: `Every hour Dealbell looks in Pipedrive’s own lists for what no webhook told. ${nextRunAt === null ? '' : `Next time: ${momentWords(nextRunAt, tenant)}.`}`,
  };
}
