/** The page of the account: settings, keys, the comparison with Pipedrive, the audit trail, and erasing it all. */

import { z } from 'zod';
import { Account, type AccountView } from '../../views/settings/account';
import { ComparisonState } from '../../views/settings/account-admin';
import { AuditPage } from '../../views/settings/audit';
import type { Refusal } from '../../views/form';
import { pageUrl } from '../../views/shell';
import { listDestinations } from '../delivery/chat-webhook.store';
import { limitsAfterTrial } from '../plans/plan-limits';
import { listRules } from '../rules/rule.store';
import {
  accountAnswer,
  afterTrialWords,
  auditAnswer,
  auditViews,
  comparisonAnswer,
  comparisonOf,
  keysAnswer,
  keyViews,
  settingsOf,
  usageOf,
  type AuditEntry,
  type AuditNames,
} from './account-view';
import { attempt } from './attempt';
import { planWords } from './overview-view';
import { recordTitles } from './record-titles.store';
import type { SettingsDeps } from './settings-deps';
import { listUserNames } from './viewer.store';
import type { FarewellAnswer, PageAnswer, PageRoute, PartAnswer, Visit } from './visit';

const AUDIT_SHOWN = 5;
/** More than are shown: those of one move of rules are told as one. */
const AUDIT_READ = 20;
const AUDIT_PER_PAGE = 50;

export function accountPages(deps: SettingsDeps): PageRoute[] {
  return [
    { method: 'get', path: 'account', access: 'see', handle: (visit) => show(deps, visit) },
    { method: 'post', path: 'account/settings', access: 'change', handle: (visit) => saveSettings(deps, visit) },
    { method: 'post', path: 'account/keys', access: 'change', handle: (visit) => addKey(deps, visit) },
    { method: 'post', path: 'account/keys/:id/delete', access: 'change', handle: (visit) => deleteKey(deps, visit) },
    { method: 'get', path: 'account/comparison', access: 'change', handle: (visit) => comparison(deps, visit) },
    { method: 'post', path: 'account/compare', access: 'change', handle: (visit) => compare(deps, visit) },
    { method: 'post', path: 'account/erase', access: 'change', handle: (visit) => erase(deps, visit) },
    { method: 'get', path: 'account/audit', access: 'see', handle: (visit) => audit(deps, visit) },
  ];
}

interface More {
  readonly message?: string;
  readonly refused?: AccountView['refused'];
  readonly newKey?: AccountView['newKey'];
}

async function show(
  deps: SettingsDeps,
  visit: Visit,
  { message, refused = null, newKey = null }: More = {},
): Promise<PageAnswer> {
  const { viewer, principal } = visit;
  const { tenant, isAdmin } = viewer;
  const get = (path: string, query: object = {}) => deps.callApi(principal, { method: 'get', path, query });
  const [plan, account, keys, trail, comparison] = await Promise.all([
    deps.loadPlan(tenant.id),
    get('/account').then((answer) => accountAnswer.parse(answer)),
    get('/api-keys').then((answer) => keysAnswer.parse(answer)),
    get('/audit', { limit: String(AUDIT_READ) }).then((answer) => auditAnswer.parse(answer)),
    isAdmin ? get('/reconciliation', noPeriod(deps.clock())).then((answer) => comparisonAnswer.parse(answer)) : null,
  ]);
  const { webhook } = account;
  const content = Account({
    companyName: tenant.companyName,
    plan: planWords(plan, tenant),
    history: `History is kept for ${account.retentionDays} days.${afterTrialWords(limitsAfterTrial(plan))}`,
    usage: usageOf(account),
    settings: settingsOf(account, refused?.form === 'settings' ? typedSettings(visit) : null),
    keys: keyViews(keys, tenant),
    canAddKey: account.usage.apiKeys < account.limits.apiKeys,
    audit: auditViews(trail.items, await namesIn(deps, visit, trail.items), tenant, AUDIT_SHOWN),
    admin:
      webhook === undefined || comparison === null
        ? null
        : {
            relay: { tenantId: webhook.tenantPublicId, secret: webhook.signingSecret, url: deps.webhookUrl },
            comparison: comparisonOf(comparison, tenant, deps.clock()),
          },
    ...{ refused, newKey },
  });
  const status = refused === null ? 200 : 422;
  return { kind: 'page', page: 'account', title: 'Account', content, status, ...(message === undefined ? {} : { message }) };
}

/** Only how it stands is wanted, no figures of any time. */
const noPeriod = (now: Date) => ({ since: now.toISOString(), until: now.toISOString() });

const typedSettings = ({ form }: Visit) => ({ locale: form.text('locale'), timeZone: form.text('timeZone') });

async function saveSettings(deps: SettingsDeps, visit: Visit): Promise<PageAnswer> {
  const { form, principal } = visit;
  const body = { settings: { locale: form.optional('locale'), timeZone: form.optional('timeZone') } };
  const tried = await attempt(() => deps.callApi(principal, { method: 'put', path: '/account', body }));
  if (!tried.done) return await show(deps, visit, { refused: { form: 'settings', refusal: tried.refusal } });
  return await show(deps, visit, { message: 'Settings saved' });
}

const keyAnswer = z.object({ name: z.string(), key: z.string() });

async function addKey(deps: SettingsDeps, visit: Visit): Promise<PageAnswer> {
  const body = { name: visit.form.text('name') };
  const tried = await attempt(() => deps.callApi(visit.principal, { method: 'post', path: '/api-keys', body }));
  if (!tried.done) return await show(deps, visit, { refused: { form: 'key', refusal: tried.refusal } });
  const { name, key } = keyAnswer.parse(tried.result);
  return await show(deps, visit, { newKey: { name, text: key } });
}

async function deleteKey(deps: SettingsDeps, visit: Visit): Promise<PageAnswer> {
  await deps.callApi(visit.principal, { method: 'delete', path: '/api-keys/:id', id: visit.id });
  return await show(deps, visit, { message: 'The key was deleted' });
}

async function compare(deps: SettingsDeps, visit: Visit): Promise<PageAnswer> {
  const tried = await attempt(() => deps.callApi(visit.principal, { method: 'post', path: '/reconciliation' }));
  if (!tried.done) return await show(deps, visit, { refused: { form: 'comparison', refusal: tried.refusal } });
  return await show(deps, visit, { message: 'Checking now: what was missed shows up in Activity' });
}

/** Asks for itself until it is done. */
async function comparison({ callApi, clock }: SettingsDeps, { principal, viewer }: Visit): Promise<PartAnswer> {
  const now = clock();
  const answer = await callApi(principal, { method: 'get', path: '/reconciliation', query: noPeriod(now) });
  return { kind: 'part', content: ComparisonState(comparisonOf(comparisonAnswer.parse(answer), viewer.tenant, now)) };
}

async function erase(deps: SettingsDeps, visit: Visit): Promise<PageAnswer | FarewellAnswer> {
  const { companyName } = visit.viewer.tenant;
  if (visit.form.text('company').toLowerCase() !== companyName.trim().toLowerCase()) {
    const message = `must be ${companyName}`;
    const refusal: Refusal = { message, errors: [{ path: 'company', message }] };
    return await show(deps, visit, { refused: { form: 'erase', refusal } });
  }
  await deps.callApi(visit.principal, { method: 'delete', path: '/account' });
  return {
    kind: 'farewell',
    title: 'Everything was deleted',
    lines: [
      `Nothing of ${companyName} is left in Dealbell, and nothing is posted any more.`,
      'Dealbell may still be listed among your apps in Pipedrive: you can uninstall it there, or start again.',
    ],
    link: { href: deps.installUrl, label: 'Start again' },
  };
}

async function audit(deps: SettingsDeps, visit: Visit): Promise<PageAnswer> {
  const cursor = visit.form.optional('cursor');
  const query = { limit: String(AUDIT_PER_PAGE), ...(cursor === null ? {} : { cursor }) };
  const { items, nextCursor } = auditAnswer.parse(await deps.callApi(visit.principal, { method: 'get', path: '/audit', query }));
  const content = AuditPage({
    entries: auditViews(items, await namesIn(deps, visit, items), visit.viewer.tenant),
    olderUrl: nextCursor === null ? null : `${pageUrl('account', 'audit')}?cursor=${encodeURIComponent(nextCursor)}`,
  });
  return { kind: 'page', page: 'account', title: 'Audit log', content };
}

/** What the trail calls by number, by name. */
async function namesIn(
  { database: { prisma, pool } }: SettingsDeps,
  { viewer: { tenant } }: Visit,
  entries: readonly AuditEntry[],
): Promise<AuditNames> {
  const records = entries.flatMap(({ action, subject }) => (action.startsWith('record.') ? recordsIn(subject) : []));
  const [users, rules, spaces, titles] = await Promise.all([
    listUserNames(prisma, tenant.id),
    listRules(prisma, tenant.id),
    listDestinations(prisma, tenant.id),
    recordTitles(pool, tenant.id, records),
  ]);
  const recordSubjects = entries.flatMap(({ action, subject }) => {
    if (!action.startsWith('record.')) return [];
    const named = recordsIn(subject).map(
      ({ entity, entityId }) => titles.get(`${entity} ${entityId}`) ?? `${entity} ${entityId}`,
    );
    return [[subject, named.join(', ')] as const];
  });
  return {
    users,
    subjects: new Map([
      ...rules.map(({ id, name }) => [`rule ${id}`, name] as const),
      ...spaces.map(({ id, name }) => [`chat webhook ${id}`, name] as const),
      ...recordSubjects,
    ]),
  };
}

/** "deal 7, person 9". */
function recordsIn(subject: string): readonly { readonly entity: string; readonly entityId: string }[] {
  return subject.split(', ').flatMap((part) => {
    const [entity, entityId] = part.split(' ');
    return entity === undefined || entityId === undefined ? [] : [{ entity, entityId }];
  });
}
