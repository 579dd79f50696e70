/** The audit trail: its newest entries on the account page, and all of them page by page. */

import type { VNode } from 'preact';
import { Back } from '../components';
import { pageUrl } from '../shell';

export interface AuditView {
  readonly when: string;
  readonly whenIso: string;
  readonly who: string;
  readonly what: string;
}

/** Who changed what, newest first. */
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
