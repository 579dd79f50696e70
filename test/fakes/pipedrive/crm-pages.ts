/** The pages of the stand-in CRM: choose a user, the pipeline board, lists, and the Marketplace app's settings. */
import type { Company, DealRecord, PipelineRecord, StageRecord } from './crm-records';
import { isAdmin } from './crm-records';
import { stagesOf } from './entity-kinds';
import type { Viewer } from './crm-layout';
import { appMenu, crmPage, initials, moneyText, page } from './crm-layout';
import type { Html } from './html';
import { html } from './html';

/** Choosing a company and user stands in for logging in. `next` is where the choice leads to. */
export function chooserPage(companies: ReadonlyMap<number, Company>, next: string): string {
  const sections = [...companies.values()].map(
    (company) =>
      html`<section class="card">
        <h2>${company.name}</h2>
        <p class="muted">${company.domain}.pipedrive.com · ${company.currency}</p>
        <ul class="people">
          ${[...company.users.live.values()].map(
            (user) =>
              html`<li>
                <a href="${next}?as=${company.id}-${user.id}"
                  ><span class="avatar">${initials(user.name)}</span
                  ><span>${user.name}${isAdmin(user) ? html` <small class="tag">admin</small>` : null}</span></a
                >
              </li>`,
          )}
        </ul>
      </section>`,
  );
  const body = html`<body>
    <main class="chooser">
      <h1>Who are you today?</h1>
      <p class="muted">A stand-in for Pipedrive: pick a user, change deals, and watch what Dealbell makes of it.</p>
      <div class="columns">${sections}</div>
    </main>
  </body>`;
  return page({ title: 'Choose a user', body, theme: 'light' });
}

/** The pipelines, and all deals as a list. */
function dealTabs({ company, as }: Viewer, current: number | 'list'): Html {
  const tab = (path: string, label: string, isCurrent: boolean): Html =>
    html`<a href="${path}?as=${as}" ${isCurrent ? html`aria-current="page"` : null}>${label}</a>`;
  return html`<div class="tabs">
    ${[...company.pipelines.live.values()].map(({ id, name }) => tab(`/pipeline/${id}`, name, id === current))}
    ${tab('/deals/list', 'List', current === 'list')}
  </div>`;
}

function table(headings: readonly string[], rows: readonly Html[]): Html {
  return html`<table class="card">
    <thead>
      <tr>
        ${headings.map((heading) => html`<th>${heading}</th>`)}
      </tr>
    </thead>
    <tbody>
      ${rows}
    </tbody>
  </table>`;
}

/** Deals in rows, of which several can be ticked. */
export function dealListPage(viewer: Viewer): string {
  const { company, as } = viewer;
  const rows = [...company.deals.live.values()]
    .filter(({ is_archived }) => !is_archived)
    .map(
      (deal) =>
        html`<tr>
          <td class="tick"><input type="checkbox" name="selected" value="${deal.id}" aria-label="Choose ${deal.title}" /></td>
          <td>
            <a href="/deal/${deal.id}?as=${as}"><strong>${deal.title}</strong></a>
          </td>
          <td>${moneyText(deal.value, deal.currency)}</td>
          <td>
            ${deal.status === 'open' ? company.stages.live.get(deal.stage_id)?.name : html`<span class="tag status-${deal.status}">${deal.status}</span>`}
          </td>
          <td>${company.users.live.get(deal.owner_id)?.name ?? ''}</td>
        </tr>`,
    );
  const content = html`<div class="row between bar">
      ${dealTabs(viewer, 'list')}
      <div class="row"><small>Ticked deals</small>${appMenu({ resource: 'deal', view: 'list', name: 'the ticked deals' })}</div>
    </div>
    ${table(['', 'Title', 'Value', 'Stage', 'Owner'], rows)}`;
  return crmPage({ viewer, title: 'Deals', current: 'deals', content });
}

/** Deals as cards in the columns of their stages. */
export function boardPage(viewer: Viewer, pipeline: PipelineRecord): string {
  const { company, as } = viewer;
  const deals = [...company.deals.live.values()].filter(
    (deal) => deal.pipeline_id === pipeline.id && deal.status === 'open' && !deal.is_archived,
  );
  const columns = stagesOf(company, pipeline.id).map((stage) =>
    column(
      viewer,
      stage,
      deals.filter((deal) => deal.stage_id === stage.id),
    ),
  );
  const content = html`<div class="row between bar">
      ${dealTabs(viewer, pipeline.id)}
      <form class="row" method="post" action="/deals?as=${as}">
        <input type="hidden" name="pipeline_id" value="${pipeline.id}" />
        <label class="hidden" for="new-title">Title</label><input id="new-title" name="title" placeholder="New deal" required />
        <label class="hidden" for="new-value">Value</label
        ><input id="new-value" name="value" type="number" step="any" placeholder="Value" class="short" />
        <button class="primary">Add deal</button>
      </form>
    </div>
    <div class="board">${columns}</div>`;
  return crmPage({ viewer, title: 'Deals', current: 'deals', content });
}

function column({ company, as }: Viewer, stage: StageRecord, deals: readonly DealRecord[]): Html {
  return html`<section class="stage">
    <header>
      <h2>${stage.name}</h2>
      <small>${sumText(deals)}</small>
    </header>
    ${deals.map((deal) => {
      const owner = company.users.live.get(deal.owner_id)?.name ?? '';
      const organization = deal.org_id === null ? undefined : company.organizations.live.get(deal.org_id);
      return html`<a class="deal" href="/deal/${deal.id}?as=${as}">
        <strong>${deal.title}</strong><small>${organization?.name ?? 'No organization'}</small>
        <span class="row between"
          ><span>${moneyText(deal.value, deal.currency)}</span
          ><span class="avatar small" title="${owner}">${initials(owner)}</span></span
        >
      </a>`;
    })}
  </section>`;
}

function sumText(deals: readonly DealRecord[]): string {
  const totals = new Map<string, number>();
  for (const deal of deals) totals.set(deal.currency, (totals.get(deal.currency) ?? 0) + deal.value);
  const amounts = [...totals].map(([currency, amount]) => moneyText(amount, currency));
  return [...amounts, `${deals.length} ${deals.length === 1 ? 'deal' : 'deals'}`].join(' · ');
}

export function leadsPage(viewer: Viewer): string {
  const { company, as } = viewer;
  const rows = [...company.leads.live.values()].map(
    (lead) =>
      html`<tr>
        <td><strong>${lead.title}</strong>${lead.is_archived ? html` <small class="tag">archived</small>` : null}</td>
        <td>${lead.value === null ? '–' : moneyText(lead.value.amount, lead.value.currency)}</td>
        <td>${company.users.live.get(lead.owner_id)?.name ?? ''}</td>
        <td>
          <div class="row end">
            <form method="post" action="/leads/${lead.id}/convert?as=${as}"><button>Convert to deal</button></form>
            <form method="post" action="/leads/${lead.id}/archive?as=${as}">
              <button class="quiet">${lead.is_archived ? 'Unarchive' : 'Archive'}</button>
            </form>
          </div>
        </td>
      </tr>`,
  );
  const content = html`<form class="row bar" method="post" action="/leads?as=${as}">
      <label class="hidden" for="lead-title">Title</label><input id="lead-title" name="title" placeholder="New lead" required />
      <label class="hidden" for="lead-value">Value</label
      ><input id="lead-value" name="value" type="number" step="any" placeholder="Value" class="short" />
      <button class="primary">Add lead</button>
    </form>
    ${table(['Title', 'Value', 'Owner', ''], rows)}`;
  return crmPage({ viewer, title: 'Leads inbox', current: 'leads', content });
}

export function personsPage(viewer: Viewer): string {
  const { company, as } = viewer;
  const rows = [...company.persons.live.values()].map(
    (person) =>
      html`<tr>
        <td><strong>${person.name}</strong></td>
        <td>${person.org_id === null ? '–' : (company.organizations.live.get(person.org_id)?.name ?? '–')}</td>
        <td>${person.emails[0]?.value ?? '–'}</td>
        <td>${person.phones[0]?.value ?? '–'}</td>
        <td>${company.users.live.get(person.owner_id)?.name ?? ''}</td>
        <td>
          <div class="row end">${appMenu({ resource: 'person', view: 'list', ids: String(person.id), name: person.name })}</div>
        </td>
      </tr>`,
  );
  const content = html`<form class="row bar" method="post" action="/persons?as=${as}">
      <label class="hidden" for="person-name">Name</label><input id="person-name" name="name" placeholder="New person" required />
      <label class="hidden" for="person-org">Organization</label
      ><input id="person-org" name="organization" placeholder="Organization" />
      <button class="primary">Add person</button>
    </form>
    ${table(['Name', 'Organization', 'Email', 'Phone', 'Owner', ''], rows)}`;
  return crmPage({ viewer, title: 'Contacts', current: 'persons', content });
}

export type AppView = {
  readonly isInstalled: boolean;
  readonly installUrl: string | null;
  readonly settingsFrameUrl: string | null;
};

/** The Marketplace app's page with the app's own settings in a frame. */
export function appSettingsPage(viewer: Viewer, { isInstalled, installUrl, settingsFrameUrl }: AppView): string {
  const { as, clientId } = viewer;
  const install = html`<div class="row">
    ${installUrl === null ? null : html`<a class="button primary" href="${installUrl}">Install Dealbell</a>`}
    <a class="button" href="/marketplace/app/${clientId}/install-now?as=${as}">Install now from Marketplace</a>
  </div>`;
  const uninstall = html`<form method="post" action="/settings/marketplace/app/${clientId}/uninstall?as=${as}">
    <button class="danger">Uninstall</button>
  </form>`;
  const frame =
    settingsFrameUrl === null
      ? html`<p class="muted">The app's address is not known yet.</p>`
      : html`<iframe
          class="app-frame"
          data-surface="settings"
          title="Dealbell settings"
          data-src="${settingsFrameUrl}"
        ></iframe>`;
  const content = html`<section class="card">
      <div class="row between">
        <div class="row">
          <span class="mark mark-app">D</span>
          <div>
            <h2>Dealbell</h2>
            <p class="muted">${isInstalled ? 'Installed for you' : 'Not installed for you'}</p>
          </div>
        </div>
        ${isInstalled ? uninstall : install}
      </div>
    </section>
    <section class="card flush">${frame}</section>`;
  return crmPage({ viewer, title: 'Marketplace apps', current: 'settings', content });
}
