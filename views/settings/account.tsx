/** The company's plan and what it uses of it, its settings, its keys, who changed what, and its end. */

import type { ComponentChildren, VNode } from 'preact';
import { Back } from '../components';
import { CopyField, errorAt, PageForm, RefusalBox, SelectField, TextField, type Option, type Refusal } from '../form';
import { pageUrl } from '../shell';

export interface UsageView {
  readonly label: string;
  readonly used: number;
  readonly limit: number;
}

export interface ApiKeyView {
  readonly id: number;
  readonly name: string;
  readonly prefix: string;
  /** "Created on 23 Nov 2026, never used". */
  readonly used: string;
}

export interface AuditView {
  readonly when: string;
  readonly whenIso: string;
  readonly who: string;
  readonly what: string;
}

/** What only admins see; null for everybody else. */
export interface AdminView {
  readonly relay: { readonly tenantId: string; readonly secret: string; readonly url: string };
  readonly comparison: ComparisonView;
}

export interface ComparisonView {
  readonly state: string;
  readonly isTrouble: boolean;
  /** It looks again by itself until it is done. */
  readonly isUnderWay: boolean;
  readonly next: string;
}

export interface AccountView {
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
  readonly keys: readonly ApiKeyView[];
  readonly canAddKey: boolean;
  readonly audit: readonly AuditView[];
  readonly admin: AdminView | null;
  /** The one form that was refused, and why. */
  readonly refused: { readonly form: 'settings' | 'key' | 'comparison' | 'erase'; readonly refusal: Refusal } | null;
  /** The text of a key that was just made: never shown again. */
  readonly newKey: { readonly name: string; readonly text: string } | null;
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
      <ApiKeys view={view} />
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
              {used} of {limit}
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

function ApiKeys({ view }: { readonly view: AccountView }): VNode {
  const { keys, newKey, admin, canAddKey } = view;
  const refusal = refusalOf(view, 'key');
  return (
    <section class="card" aria-labelledby="keys">
      <h2 id="keys">API keys</h2>
      <p class="quiet">
        Programs use them for the <ApiDocs>REST API</ApiDocs>. A key has admin rights.
      </p>
      {newKey !== null && (
        <div class="new-key" role="status">
          <p>
            <strong>Copy the key “{newKey.name}” now: it is not shown again.</strong>
          </p>
          <CopyField id="new-key" label={`API key ${newKey.name}`} value={newKey.text} button="Copy key" />
        </div>
      )}
      {keys.length === 0 && <p class="quiet">There is no key yet.</p>}
      {keys.length > 0 && (
        <ul class="rows">
          {keys.map((key) => (
            <li>
              <strong>{key.name}</strong>
              <code>{key.prefix}…</code>
              <span class="quiet grow">{key.used}</span>
              {admin !== null && <DeleteKey {...key} />}
            </li>
          ))}
        </ul>
      )}
      {admin !== null && canAddKey && (
        <PageForm id="key-form" action={pageUrl('account', 'keys')}>
          <RefusalBox refusal={refusal} labels={{ name: { id: 'key-name', label: 'Key name' } }} />
          <div class="one-line">
            <TextField
              id="key-name"
              label="Key name"
              name="name"
              required
              maxLength={100}
              placeholder="CI, Zapier, …"
              error={errorAt(refusal, 'name')}
            />
            <button id="add-key" class="secondary">
              Create key
            </button>
          </div>
        </PageForm>
      )}
      {admin !== null && !canAddKey && <p class="quiet">Your plan has no room for another key: delete one that is not used.</p>}
    </section>
  );
}

function ApiDocs({ children }: { readonly children: ComponentChildren }): VNode {
  return (
    <a id="api-docs" href="/docs" target="_blank" rel="noopener">
      {children}
    </a>
  );
}

function DeleteKey({ id, name }: ApiKeyView): VNode {
  const question = {
    title: `Delete the key ${name}?`,
    text: 'Whatever uses it can no longer speak to Dealbell, at once.',
    ok: 'Delete key',
  };
  return (
    <PageForm id={`delete-key-form-${id}`} action={pageUrl('account', `keys/${id}/delete`)} question={question} inline>
      <button id={`delete-key-${id}`} class="small danger" aria-label={`Delete key ${name}`}>
        Delete
      </button>
    </PageForm>
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

function Comparison({ admin, refusal }: { readonly admin: AdminView; readonly refusal: Refusal | null }): VNode {
  return (
    <section class="card" aria-labelledby="comparison">
      <h2 id="comparison">Missed-event check</h2>
      <RefusalBox refusal={refusal} />
      <ComparisonState {...admin.comparison} />
      <PageForm id="compare-form" action={pageUrl('account', 'compare')}>
        <button id="compare" class="secondary">
          Check now
        </button>
      </PageForm>
    </section>
  );
}

/** How the comparison stands. */
export function ComparisonState({ state, isTrouble, isUnderWay, next }: ComparisonView): VNode {
  const again = {
    'hx-get': pageUrl('account', 'comparison'),
    'hx-trigger': 'load delay:2s',
    'hx-target': 'this',
    'hx-swap': 'outerHTML',
    'hx-sync': 'this:drop',
  };
  return (
    <div id="comparison-state" role="status" data-quiet="yes" {...(isUnderWay ? again : {})}>
      <p class={isTrouble ? 'problem' : undefined}>{state}</p>
      <p class="quiet">{next}</p>
    </div>
  );
}

export function AuditList({ entries }: { readonly entries: readonly AuditView[] }): VNode {
  if (entries.length === 0) return <p class="quiet">Nothing was changed yet.</p>;
  return (
    <ul class="rows">
      {entries.map(({ when, whenIso, who, what }) => (
        <li>
          <span class="grow">
            <strong>{who}</strong> {what}
          </span>
          <time class="quiet" dateTime={whenIso}>
            {when}
          </time>
        </li>
      ))}
    </ul>
  );
}

function Relay({ tenantId, secret, url }: AdminView['relay']): VNode {
  return (
    <section class="card" aria-labelledby="relay">
      <h2 id="relay">Relay</h2>
      <p class="quiet">
        For events that reach Dealbell by a program of yours instead of Pipedrive’s own webhooks: POST them to <code>{url}</code>{' '}
        with the header <code>X-Dealbell-Tenant</code> and, as <code>X-Dealbell-Signature</code>, <code>sha256=</code> with the
        HMAC of the body.
      </p>
      <details>
        <summary id="show-relay">Show the credentials</summary>
        <CopyField id="relay-tenant" label="Tenant" value={tenantId} button="Copy tenant" />
        <CopyField id="relay-secret" label="Signing secret" value={secret} button="Copy secret" />
      </details>
    </section>
  );
}

function Erase({ companyName, refusal }: { readonly companyName: string; readonly refusal: Refusal | null }): VNode {
  const question = {
    title: `Delete everything of ${companyName}?`,
    text: 'Rules, spaces, history and keys are erased, and Pipedrive’s webhooks are removed. This cannot be undone.',
    ok: 'Delete everything',
  };
  return (
    <section class="card danger-zone" aria-labelledby="erase">
      <h2 id="erase">Delete everything</h2>
      <p>
        Erases the rules, spaces, history and keys of {companyName} and removes Dealbell’s webhooks at Pipedrive. Nothing is kept,
        and nothing can be brought back. Messages already in Google Chat stay there.
      </p>
      <PageForm id="erase-form" action={pageUrl('account', 'erase')} question={question}>
        <RefusalBox refusal={refusal} labels={{ company: { id: 'erase-name', label: 'The company’s name' } }} />
        <div class="one-line">
          <TextField
            id="erase-name"
            label={`To confirm, type the company’s name: ${companyName}`}
            name="company"
            required
            confirms={companyName}
            error={errorAt(refusal, 'company')}
          />
          <button id="erase-all" class="danger">
            Delete everything
          </button>
        </div>
      </PageForm>
    </section>
  );
}

export interface AuditPageView {
  readonly entries: readonly AuditView[];
  readonly olderUrl: string | null;
}

/** The whole audit trail, page by page. */
export function AuditPage({ entries, olderUrl }: AuditPageView): VNode {
  return (
    <>
      <Back to={pageUrl('account')} />
      <h1>Audit log</h1>
      <section class="card">
        <AuditList entries={entries} />
      </section>
      {olderUrl !== null && (
        <p class="actions">
          <a id="older" class="button secondary" href={olderUrl}>
            Older
          </a>
        </p>
      )}
    </>
  );
}
