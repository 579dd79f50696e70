/** The frame of every CRM page: document, side navigation, top bar with user and theme switch. */
import type { Company, UserRecord } from './crm-records';
import type { Html } from './html';
import { html } from './html';

export type Theme = 'light' | 'dark';
/** Who looks at the CRM, remembered in the query as `as=<company>-<user>`. */
export type Viewer = {
  readonly company: Company;
  readonly user: UserRecord;
  readonly theme: Theme;
  readonly clientId: string;
  readonly as: string;
};

/** A whole document around a body. */
export function page({ title, body, theme }: { title: string; body: Html; theme: Theme }): string {
  return html`<!doctype html>
    <html lang="en" data-theme="${theme}">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${title} · Stand-in CRM</title>
        <link rel="icon" href="data:," />
        <link rel="stylesheet" href="/assets/crm.css" />
        <script src="/assets/host.js" defer></script>
      </head>
      ${body}
    </html>`.html.trimStart();
}

/** A page of the CRM for one viewer. */
export function crmPage({
  viewer,
  title,
  current,
  content,
}: {
  viewer: Viewer;
  title: string;
  current: string;
  content: Html;
}): string {
  const { company, user, as } = viewer;
  const links = [
    ['deals', `/pipeline?as=${as}`, 'Deals'],
    ['leads', `/leads/inbox?as=${as}`, 'Leads'],
    ['persons', `/persons/list?as=${as}`, 'Contacts'],
    ['settings', `/settings/marketplace/app/${viewer.clientId}/app-settings?as=${as}`, 'Marketplace apps'],
  ] as const;
  const body = html`<body data-as="${as}" data-client-id="${viewer.clientId}">
    <nav class="side" aria-label="Main">
      <a class="mark mark-crm" href="/" title="Change user">p</a>
      ${links.map(([key, href, label]) => html`<a href="${href}" ${key === current ? html`aria-current="page"` : null}>${label}</a>`)}
    </nav>
    <div class="shell">
      <header class="top">
        <h1>${title}</h1>
        <div class="row">
          <button type="button" class="quiet" id="theme-switch">Dark or light</button>
          <a class="who" href="/" title="Change user"
            ><span class="avatar">${initials(user.name)}</span><span>${user.name}<br /><small>${company.name}</small></span></a
          >
        </div>
      </header>
      <main>${content}</main>
    </div>
  </body>`;
  return page({ title, body, theme: viewer.theme });
}

/** The "..." menu in which apps have their entries. Without `ids` it is about what is ticked in the list. */
export function appMenu({
  resource,
  view,
  ids,
  name,
}: {
  resource: string;
  view: 'details' | 'list';
  ids?: string;
  /** What it is about, for those who hear it. */
  name: string;
}): Html {
  return html`<details class="menu">
    <summary aria-label="More actions for ${name}">•••</summary>
    <div class="card">
      <small>Dealbell</small>
      <button
        type="button"
        data-open-modal
        data-resource="${resource}"
        data-view="${view}"
        ${ids === undefined ? null : html`data-ids="${ids}"`}
      >
        Announce in Google Chat
      </button>
    </div>
  </details>`;
}

export function initials(name: string): string {
  return name
    .split(' ')
    .map((part) => part.slice(0, 1))
    .join('')
    .slice(0, 2);
}

/** An amount as people read it, without needless decimals. */
export function moneyText(amount: number, currency: string): string {
  const format = new Intl.NumberFormat('en-GB', {
    style: 'currency',
    currency,
    minimumFractionDigits: 0,
    maximumFractionDigits: 2,
  });
  return format.format(amount);
}
