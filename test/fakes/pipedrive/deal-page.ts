/** The stand-in's page of one deal: its stages, fields, notes and activities, and the app's panel. */
import type { ActivityRecord, DealRecord, NoteRecord } from './crm-records';
import { stagesOf } from './entity-kinds';
import type { Viewer } from './crm-layout';
import { appMenu, crmPage, moneyText } from './crm-layout';
import type { Html } from './html';
import { html } from './html';

export function dealPage(viewer: Viewer, deal: DealRecord, panelFrameUrl: string | null): string {
  const { company, as } = viewer;
  const notes = [...company.notes.live.values()].filter((note) => note.deal_id === deal.id);
  const activities = [...company.activities.live.values()].filter((activity) => activity.deal_id === deal.id);
  const content = html`<div class="row between bar">
      <div class="row">
        <span class="value">${moneyText(deal.value, deal.currency)}</span
        ><span class="tag status-${deal.status}">${deal.status}</span>
      </div>
      <div class="row">
        ${statusForms(deal, as)} ${appMenu({ resource: 'deal', view: 'details', ids: String(deal.id), name: 'this deal' })}
      </div>
    </div>
    ${stageBar(viewer, deal)}
    <div class="deal-columns">
      <aside>
        <section class="card flush">
          <h2 class="padded">Dealbell <span class="badge" data-badge hidden></span></h2>
          ${panelFrameUrl === null ? html`<p class="muted padded">The app's address is not known yet.</p>` : html`<iframe class="app-frame panel" data-surface="panel" title="Dealbell panel" data-src="${panelFrameUrl}"></iframe>`}
        </section>
        ${editForm(viewer, deal)}
      </aside>
      <div>${addForms(deal, as)}${history(viewer, notes, activities)}</div>
    </div>`;
  return crmPage({ viewer, title: deal.title, current: 'deals', content });
}

function statusForms(deal: DealRecord, as: string): Html {
  const button = (status: string, label: string, look: string): Html =>
    html`<form method="post" action="/deal/${deal.id}/status?as=${as}">
      <input type="hidden" name="status" value="${status}" /><button class="${look}">${label}</button>
    </form>`;
  const lost = html`<form class="row" method="post" action="/deal/${deal.id}/status?as=${as}">
    <input type="hidden" name="status" value="lost" /><label class="hidden" for="lost-reason">Lost reason</label
    ><input id="lost-reason" name="lost_reason" placeholder="Lost reason" class="short" /><button class="danger">Lost</button>
  </form>`;
  const remove = html`<form method="post" action="/deal/${deal.id}/delete?as=${as}"><button class="quiet">Delete</button></form>`;
  return html`<div class="row">
    ${deal.status === 'open' ? html`${button('won', 'Won', 'good')}${lost}` : button('open', 'Reopen', '')}${remove}
  </div>`;
}

function stageBar({ company, as }: Viewer, deal: DealRecord): Html {
  const stages = stagesOf(company, deal.pipeline_id);
  const reached = stages.findIndex((stage) => stage.id === deal.stage_id);
  return html`<form class="stages" method="post" action="/deal/${deal.id}/edit?as=${as}" aria-label="Stage">
    ${stages.map((stage, index) => html`<button name="stage_id" value="${stage.id}" class="${index <= reached ? 'reached' : ''}" ${stage.id === deal.stage_id ? html`aria-current="step"` : null}>${stage.name}</button>`)}
  </form>`;
}

function editForm({ company, as }: Viewer, deal: DealRecord): Html {
  const organization = deal.org_id === null ? undefined : company.organizations.live.get(deal.org_id);
  const person = deal.person_id === null ? undefined : company.persons.live.get(deal.person_id);
  const owners = [...company.users.live.values()].map(
    (user) => html`<option value="${user.id}" ${user.id === deal.owner_id ? html`selected` : null}>${user.name}</option>`,
  );
  const stages = [...company.pipelines.live.values()].map(
    (pipeline) =>
      html`<optgroup label="${pipeline.name}">
        ${stagesOf(company, pipeline.id).map((stage) => html`<option value="${stage.id}" ${stage.id === deal.stage_id ? html`selected` : null}>${stage.name}</option>`)}
      </optgroup>`,
  );
  return html`<form class="card fields" method="post" action="/deal/${deal.id}/edit?as=${as}">
    <h2>Details</h2>
    <label>Title<input name="title" value="${deal.title}" required /></label>
    <div class="row">
      <label>Value<input name="value" type="number" step="any" value="${deal.value}" /></label>
      <label>Currency<input name="currency" value="${deal.currency}" pattern="[A-Z]{3}" class="tiny" /></label>
    </div>
    <label
      >Owner<select name="owner_id">
        ${owners}
      </select></label
    >
    <label
      >Stage<select name="stage_id">
        ${stages}
      </select></label
    >
    <label>Expected close date<input name="expected_close_date" type="date" value="${deal.expected_close_date}" /></label>
    <button class="primary">Save</button>
    <dl>
      <dt>Person</dt>
      <dd>${person?.name ?? '–'}</dd>
      <dt>Organization</dt>
      <dd>${organization?.name ?? '–'}</dd>
      ${
        deal.lost_reason === null
          ? null
          : html`<dt>Lost reason</dt>
              <dd>${deal.lost_reason}</dd>`
      }
    </dl>
  </form>`;
}

function addForms(deal: DealRecord, as: string): Html {
  return html`<div class="card fields">
    <form class="row" method="post" action="/deal/${deal.id}/note?as=${as}">
      <label class="grow">Note<textarea name="content" rows="2" required></textarea></label><button>Add note</button>
    </form>
    <form class="row" method="post" action="/deal/${deal.id}/activity?as=${as}">
      <label class="grow">Activity<input name="subject" placeholder="Call, meeting, task" required /></label>
      <label
        >Type<select name="type">
          <option>call</option>
          <option>meeting</option>
          <option>task</option>
          <option>email</option>
        </select></label
      >
      <button>Add activity</button>
    </form>
  </div>`;
}

function history({ company, as }: Viewer, notes: readonly NoteRecord[], activities: readonly ActivityRecord[]): Html {
  const nameOf = (userId: number): string => company.users.live.get(userId)?.name ?? 'Somebody';
  const activityItems = activities.map(
    (activity) =>
      html`<li class="row between">
        <span
          ><strong class="${activity.done ? 'done' : ''}">${activity.subject}</strong><br /><small
            >${activity.type} · ${activity.due_date} · ${nameOf(activity.owner_id)}</small
          ></span
        >
        ${activity.done ? html`<span class="tag status-won">done</span>` : html`<form method="post" action="/activity/${activity.id}/done?as=${as}"><button>Mark as done</button></form>`}
      </li>`,
  );
  const noteItems = notes.map(
    (note) =>
      html`<li class="note">
        ${note.content.replaceAll(/<[^>]+>/g, '')}<br /><small>${nameOf(note.user_id)} · ${note.add_time.slice(0, 10)}</small>
      </li>`,
  );
  return html`<section class="card">
      <h2>Activities</h2>
      <ul class="items">
        ${activityItems.length === 0 ? html`<li class="muted">None yet</li>` : activityItems}
      </ul>
    </section>
    <section class="card">
      <h2>Notes</h2>
      <ul class="items">
        ${noteItems.length === 0 ? html`<li class="muted">None yet</li>` : noteItems}
      </ul>
    </section>`;
}
