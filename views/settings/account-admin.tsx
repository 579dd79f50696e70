/** What only admins see of the account: the comparison with Pipedrive, the relay's credentials, and the end of everything. */

import type { VNode } from 'preact';
import { CopyField, errorAt, PageForm, RefusalBox, TextField, type Refusal } from '../form';
import { pageUrl } from '../shell';

export interface AdminView {
  readonly relay: { readonly tenantId: string; readonly secret: string | null; readonly url: string };
  readonly comparison: ComparisonView;
}

export interface ComparisonView {
  readonly state: string;
  readonly isTrouble: boolean;
  /** It looks again by itself until it is done. */
  readonly isUnderWay: boolean;
  readonly next: string;
}

/** What Pipedrive's own lists are compared with, and the button that does it now. */
export function Comparison({ admin, refusal }: { readonly admin: AdminView; readonly refusal: Refusal | null }): VNode {
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
    <div id="comparison-state" data-quiet="yes" data-said={state} {...(isUnderWay ? again : {})}>
      <p class={isTrouble ? 'problem' : undefined}>{state}</p>
      <p class="quiet">{next}</p>
    </div>
  );
}

/** What a program needs that brings events in place of Pipedrive's webhooks. */
export function Relay({ tenantId, secret, url }: AdminView['relay']): VNode {
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
        {secret === null ? (
          <p class="problem">
            Dealbell cannot read the signing secret: it was sealed while this installation had another key. Whoever runs it can
            restore that.
          </p>
        ) : (
          <CopyField id="relay-secret" label="Signing secret" value={secret} button="Copy secret" />
        )}
      </details>
    </section>
  );
}

/** The end of the account: its name has to be typed, and Pipedrive's dialog asks once more. */
export function Erase({ companyName, refusal }: { readonly companyName: string; readonly refusal: Refusal | null }): VNode {
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
