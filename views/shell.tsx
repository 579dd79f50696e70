/** What stands around each settings page: the navigation, and the place where trouble is told. */

import { createContext, type ComponentChildren, type VNode } from 'preact';
import { Document, type Frame, type PageCredential } from './layout';

/** The pages of the settings in the order of the navigation. */
export const PAGES = [
  { key: 'overview', label: 'Overview' },
  { key: 'spaces', label: 'Spaces' },
  { key: 'rules', label: 'Rules' },
  { key: 'activity', label: 'Activity' },
  { key: 'account', label: 'Account' },
] as const;
export type PageKey = (typeof PAGES)[number]['key'];

/** The address of a settings page, or of something below it. */
export function pageUrl(page: PageKey, below: string | number = ''): string {
  return `/extension/settings/${page}${below === '' ? '' : `/${below}`}`;
}

export interface ShellView {
  readonly page: PageKey;
  /** What went well: said once, by Pipedrive's snackbar where there is one. */
  readonly message: string | null;
  /** Pages where something waits for a person: shown as a mark in the navigation. */
  readonly waiting: readonly PageKey[];
  /** For people who may look but not change; null for admins. */
  readonly askAdmin: AskAdminView | null;
}

export interface AskAdminView {
  /** This page in Pipedrive, to be sent to an admin. */
  readonly link: string;
  /** "Ana Fischer or Ben Okafor"; null when no admin is known. */
  readonly admins: string | null;
}

/** Everything that a click exchanges: navigation and page. `children` are the page, whose `h1` names it. */
export function Shell({
  page,
  message,
  waiting,
  askAdmin,
  children,
}: ShellView & { readonly children: ComponentChildren }): VNode {
  return (
    <div id="app">
      <header class="bar">
        <a id="skip" class="skip" href="#page">
          Skip to the page
        </a>
        <nav aria-label="Dealbell">
          <ul class="tabs">
            {PAGES.map(({ key, label }) => (
              <li>
                <a id={`nav-${key}`} href={pageUrl(key)} aria-current={key === page ? 'page' : undefined}>
                  {label}
                </a>
                {waiting.includes(key) && (
                  <span class="dot">
                    <span class="visually-hidden">Something on {label} needs attention</span>
                  </span>
                )}
              </li>
            ))}
          </ul>
        </nav>
      </header>
      <main id="page" data-page={page} tabIndex={-1}>
        {message !== null && (
          <p class="flash" id="flash">
            {message}
          </p>
        )}
        {askAdmin !== null && <AskAdmin {...askAdmin} />}
        {children}
      </main>
    </div>
  );
}

function AskAdmin({ link, admins }: AskAdminView): VNode {
  return (
    <section class="notice-box" aria-label="Only admins change these settings">
      <p>
        <strong>You can look at everything here; only admins of your Pipedrive company can change it.</strong> To have something
        changed, send {admins ?? 'an admin'} this link:
      </p>
      <p class="copy-line">
        <input id="ask-link" type="text" readOnly value={link} aria-label="Link to these settings for an admin" />
        <button type="button" class="secondary" data-copy="ask-link">
          Copy link
        </button>
      </p>
    </section>
  );
}

/** The page token for forms that are sent without scripts; null inside fragments, which scripts asked for. */
export const FormToken = createContext<string | null>(null);

/** The whole document of a page inside Pipedrive: the settings, the panel, the modal. */
export function framedDocument(title: string, frame: Frame, credential: PageCredential, app: VNode): VNode {
  return (
    <Document title={title} framed={frame} credential={credential}>
      <div id="trouble" role="alert" />
      <div id="live" role="status" class="visually-hidden" />
      <div id="root" hx-boost="true" hx-target="#app" hx-swap="outerHTML" hx-push-url="false" hx-sync="this:replace">
        <FormToken.Provider value={credential.token}>{app}</FormToken.Provider>
      </div>
      <template id="offline-words">
        <strong>Can’t reach Dealbell.</strong> Nothing was changed, and what you typed is still here. Check your connection and
        try again.
      </template>
      <template id="slow-words">
        <strong>Dealbell did not answer in time.</strong> It may still be working on it: wait a moment, then open the page again
        to see.
      </template>
      <template id="not-done-words">
        <strong>What you clicked last was not done.</strong> The page has changed in the meantime: please check it and try again.
      </template>
      <template id="expired-words">
        <strong>Pipedrive’s sign-in for this page has ended.</strong> Reload the tab to continue; what you typed stays here until
        then.
      </template>
    </Document>
  );
}

/** What an exchanged page consists of: its title, for the tab, and everything that changes. */
export function framedFragment(title: string, app: VNode): VNode {
  return (
    <>
      <title>{title}</title>
      {app}
    </>
  );
}
