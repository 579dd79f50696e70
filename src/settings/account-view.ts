/** The account in words: usage, keys, who changed what, how the comparison with Pipedrive stands. Pure. */

import { z } from 'zod';
import type { AccountView } from '../../views/settings/account';
import type { AdminView } from '../../views/settings/account-admin';
import type { ApiKeyView } from '../../views/settings/account-keys';
import type { AuditView } from '../../views/settings/audit';
import { counted } from '../core/counted';
import type { TenantProfile } from '../core/tenant';
import type { PlanLimits } from '../plans/plan-limits';
import { localeOptions } from './space-form-view';
import { languageName } from './space-view';
import { capitalized, dayWords, momentWords, sentence } from './words';

const moment = z.coerce.date();

/** What `GET /account` answers. */
export const accountAnswer = z.object({
  tenant: z.object({ locale: z.string(), timeZone: z.string(), baseCurrency: z.string() }),
  limits: z.object({ destinations: z.int(), activeRules: z.int(), apiKeys: z.int(), watches: z.int() }),
  usage: z.object({ destinations: z.int(), activeRules: z.int(), apiKeys: z.int(), watches: z.int() }),
  settings: z.object({ locale: z.string().nullable(), timeZone: z.string().nullable() }),
  retentionDays: z.int(),
  webhook: z.object({ tenantPublicId: z.string(), signingSecret: z.string().nullable() }).optional(),
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

/** " After the trial: 10 spaces, ..."; empty when there is no end to come. */
export function afterTrialWords(limits: PlanLimits | null): string {
  if (limits === null) return '';
  const { destinations, activeRules, apiKeys, watches } = limits;
  const words = [
    counted(destinations, 'space'),
    counted(activeRules, 'active rule'),
    counted(apiKeys, 'API key'),
    counted(watches, 'watched record'),
  ];
  return ` After the trial: ${words.join(', ')}.`;
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
    used: `Created on ${dayWords(createdAt, tenant)}, ${lastUsedAt === null ? 'never used' : `last used ${momentWords(lastUsedAt, tenant)}`}`,
  }));
}

const DONE: Readonly<Record<string, string>> = {
  'account.connected': 'connected the company by an API token',
  'account.updated': 'changed the company settings',
  'api_key.created': 'created the API key',
  'api_key.deleted': 'deleted the API key',
  'chat_webhook.created': 'connected the space',
  'chat_webhook.updated': 'changed the space',
  'chat_webhook.deleted': 'deleted the space',
  'delivery.replayed': 'sent messages again',
  'record.announced': 'announced',
  'record.muted': 'muted',
  'record.unmuted': 'unmuted',
  'record.watched': 'started watching',
  'record.unwatched': 'stopped watching',
  'rule.created': 'created the rule',
  'rule.updated': 'changed the rule',
  'rule.deleted': 'deleted the rule',
  'rules.imported': 'imported rules',
};

const noted = z.object({
  name: z.string().nullish().catch(null),
  fields: z.array(z.string()).nullish().catch(null),
  queued: z.number().nullish().catch(null),
  created: z.number().nullish().catch(null),
  paused: z.boolean().nullish().catch(null),
  enabled: z.boolean().nullish().catch(null),
});
type Noted = z.infer<typeof noted>;

/** Names as they are now: of users by id, of rules and spaces by what the trail calls them ("rule 7"). */
export interface AuditNames {
  readonly users: ReadonlyMap<string, string>;
  readonly subjects: ReadonlyMap<string, string>;
}

/** At most `most` of them. A new order of the rules moves several of them: that is told once. */
export function auditViews(
  entries: readonly AuditEntry[],
  names: AuditNames,
  tenant: TenantProfile,
  most = entries.length,
): AuditView[] {
  const told = entries.filter((entry, index) => !isSameMove(entry, entries[index - 1]));
  return told.slice(0, most).map((entry) => ({
    when: momentWords(entry.createdAt, tenant),
    whenIso: entry.createdAt.toISOString(),
    who: whoOf(entry.actor, names),
    what: whatOf(entry, names),
  }));
}

const SAME_MOVE_MS = 10_000;

function isSameMove(entry: AuditEntry, newer: AuditEntry | undefined): boolean {
  if (newer === undefined || newer.actor !== entry.actor || !isMove(newer) || !isMove(entry)) return false;
  return newer.createdAt.getTime() - entry.createdAt.getTime() < SAME_MOVE_MS;
}

function isMove({ action, changes }: AuditEntry): boolean {
  return action === 'rule.updated' && only(notedIn(changes), 'position');
}

function notedIn(changes: unknown): Noted {
  return noted.catch({}).parse(changes ?? {});
}

function only({ fields }: Noted, field: string): boolean {
  return fields?.length === 1 && fields[0] === field;
}

function whoOf(actor: string, { users }: AuditNames): string {
  const userId = /^user (\d+)$/.exec(actor)?.[1];
  return userId === undefined ? capitalized(actor).replace(/^Api /, 'API ') : (users.get(userId) ?? `A former user (${userId})`);
}

function whatOf({ action, subject, changes }: AuditEntry, { subjects }: AuditNames): string {
  const what = notedIn(changes);
  const { name, fields, queued, created } = what;
  const done = DONE[action] ?? action.replaceAll(/[._]/g, ' ');
  if (action === 'rule.updated' && only(what, 'position')) return 'changed the order of rules';
  if (action.startsWith('record.')) return `${done} ${subjects.get(subject) ?? subject}`;
  if (typeof queued === 'number') return `sent ${counted(queued, 'message')} again`;
  if (typeof created === 'number') return `added ${counted(created, 'rule')}`;
  const called = name ?? subjects.get(subject) ?? (subject === 'account' ? null : subject);
  const which = called === null ? '' : ` ${called}`;
  if (typeof what.paused === 'boolean' && only(what, 'paused')) return `${what.paused ? 'paused' : 'resumed'}${which}`;
  if (typeof what.enabled === 'boolean' && only(what, 'enabled')) return `turned ${what.enabled ? 'on' : 'off'}${which}`;
  return `${done}${which}${fields == null || fields.length === 0 ? '' : ` (${[...new Set(fields.map(fieldWords))].join(', ')})`}`;
}

const FIELDS: Readonly<Record<string, string>> = {
  eventType: 'event',
  filters: 'conditions',
  fold: 'combining',
  foldThreshold: 'combining',
  fallbackWebhookId: 'fallback space',
  holdHours: 'retry time',
  locale: 'language',
  settleMs: 'waiting time',
  targetWebhookIds: 'spaces',
  template: 'text',
  templateMode: 'layout',
  url: 'URL',
};

/** "quietHours" as people read it: "quiet hours". */
function fieldWords(field: string): string {
  const known = FIELDS[field];
  if (known !== undefined) return known;
  return field.replaceAll(/([a-z])([A-Z])/g, '$1 $2').toLowerCase();
}

/** One whose turn has come begins at any moment. */
const ALMOST_MS = 1_000;

export function comparisonOf(
  { state, reason, comparedUntil, nextRunAt }: ComparisonAnswer,
  tenant: TenantProfile,
  now: Date,
): AdminView['comparison'] {
  const until =
    comparedUntil === null
      ? 'Not checked yet'
      : `Everything until ${momentWords(comparedUntil, tenant)} is checked; what is newer may still be on its way`;
  const isDue = nextRunAt !== null && nextRunAt.getTime() - ALMOST_MS <= now.getTime();
  const isUnderWay = state === 'running' || isDue;
  const next = nextRunAt === null || isDue ? '' : ` Next time: ${momentWords(nextRunAt, tenant)}.`;
  return {
    isTrouble: state === 'failed' && !isUnderWay,
    isUnderWay,
    state: isUnderWay ? 'Checking now…' : sentence(state === 'failed' ? (reason ?? 'Pipedrive could not be asked') : until),
    next: `Every hour Dealbell looks through Pipedrive’s own lists for changes that Pipedrive did not report, and posts them late.${next}`,
  };
}
