/** The company's plan and what it uses of it, its settings, and what else there is of an account. */

import type { VNode } from 'preact';
import { errorAt, PageForm, RefusalBox, SelectField, TextField, type Option, type Refusal } from '../form';
import { pageUrl } from '../shell';
import { Comparison, Erase, Relay, type AdminView } from './account-admin';
import { ApiKeys, type ApiKeysView } from './account-keys';
import { AuditList, type AuditView } from './audit';

export interface UsageView {
  readonly label: string;
  readonly used: number;
  readonly limit: number;
}

export interface AccountView extends ApiKeysView {
  readonly companyName: string;
  readonly plan: string;
  readonly history: string;
  readonly usage: readonly UsageView[];
  readonly settings: {
    readonly locale: string;
    readonly timeZone: string;
    readonly pipedriveLanguage: string;
    readonly pipedriveTimeZone: string;
    readonly locales: readonly Option[];
    readonly timeZones: readonly string[];
    readonly currency: string;
  };
  readonly audit: readonly AuditView[];
  /** Null for everybody but admins. */
  readonly admin: AdminView | null;
  /** The one form that was refused, and why. */
  readonly refused: { readonly form: 'settings' | 'key' | 'comparison' | 'erase'; readonly refusal: Refusal } | null;
}

export function Account(view: AccountView): VNode {
  const { admin } = view;
  return (
    <>
      <div class="page-head">
        <h1>Account</h1>
        <p class="quiet">
          {view.companyName} · {view.plan}
        </p>
      </div>
      <Usage view={view} />
      <CompanySettings view={view} />
      <ApiKeys view={view} isAdmin={admin !== null} refusal={refusalOf(view, 'key')} />
      <Documents canImport={admin !== null} />
      {admin !== null && <Comparison admin={admin} refusal={refusalOf(view, 'comparison')} />}
      <section class="card" aria-labelledby="audit">
        <h2 id="audit">Audit log</h2>
        <AuditList entries={view.audit} />
        {view.audit.length > 0 && (
          <p>
            <a id="all-audit" href={pageUrl('account', 'audit')}>
              See all changes
            </a>
          </p>
        )}
      </section>
      {admin !== null && <Relay {...admin.relay} />}
      {admin !== null && <Erase companyName={view.companyName} refusal={refusalOf(view, 'erase')} />}
    </>
  );
}

function refusalOf({ refused }: AccountView, form: NonNullable<AccountView['refused']>['form']): Refusal | null {
  return refused?.form === form ? refused.refusal : null;
}

function Usage({ view: { usage, history } }: { readonly view: AccountView }): VNode {
  return (
    <section class="card" aria-labelledby="usage">
      <h2 id="usage">Plan and usage</h2>
      <ul class="usage">
        {usage.map(({ label, used, limit }) => (
          <li>
            <span>{label}</span>
            <strong>
              {used.toLocaleString('en')} of {limit.toLocaleString('en')}
            </strong>
            <progress value={used} max={Math.max(limit, used)} aria-label={`${label}: ${used} of ${limit}`} />
          </li>
        ))}
      </ul>
      <p class="quiet">{history}</p>
    </section>
  );
}

const SETTINGS_LABELS = {
  'settings.locale': { id: 'locale', label: 'Language' },
  'settings.timeZone': { id: 'time-zone', label: 'Time zone' },
} as const;

function CompanySettings({ view }: { readonly view: AccountView }): VNode {
  const { settings, admin } = view;
  const refusal = refusalOf(view, 'settings');
  return (
    <section class="card" aria-labelledby="company">
      <h2 id="company">Company settings</h2>
      <RefusalBox refusal={refusal} labels={SETTINGS_LABELS} />
      <fieldset class="bare" disabled={admin === null}>
        <legend class="visually-hidden">Company settings</legend>
        <PageForm id="company-form" action={pageUrl('account', 'settings')}>
          <div class="columns">
            <SelectField
              {...SETTINGS_LABELS['settings.locale']}
              name="locale"
              value={settings.locale}
              options={[{ value: '', label: `Default: ${settings.pipedriveLanguage} (from Pipedrive)` }, ...settings.locales]}
              hint="For numbers and dates in the messages; a space may have its own."
              error={errorAt(refusal, 'settings.locale')}
            />
            <TextField
              {...SETTINGS_LABELS['settings.timeZone']}
              name="timeZone"
              value={settings.timeZone}
              placeholder={settings.pipedriveTimeZone}
              list="zones"
              hint={`Default: ${settings.pipedriveTimeZone} (from Pipedrive)`}
              error={errorAt(refusal, 'settings.timeZone')}
            />
            <datalist id="zones">
              {settings.timeZones.map((zone) => (
                <option value={zone} />
              ))}
            </datalist>
          </div>
          <p class="quiet">Amounts are compared in {settings.currency}, the currency of the company in Pipedrive.</p>
          {admin !== null && (
            <div class="actions">
              <button id="save-company">Save settings</button>
            </div>
          )}
        </PageForm>
      </fieldset>
    </section>
  );
}

function Documents({ canImport }: { readonly canImport: boolean }): VNode {
  return (
    <section class="card" aria-labelledby="documents">
      <h2 id="documents">Export and import of rules</h2>
      <p class="quiet">
        All rules as one document: to keep, or move to another company. You’ll see a preview before anything changes.
      </p>
      <div class="actions">
        <a id="export-rules" class="button secondary" href={pageUrl('account', 'export')}>
          Export
        </a>
        {canImport && (
          <a id="import-rules" class="button secondary" href={pageUrl('account', 'import')}>
            Import
          </a>
        )}
      </div>
    </section>
  );
}
