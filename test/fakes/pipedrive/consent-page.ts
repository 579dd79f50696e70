/** The page on which a user of the stand-in allows the app, or does not. */
import type { Company } from './crm-records';
import { isAdmin } from './crm-records';
import { html } from './html';
import { page } from './crm-layout';

const PERMISSIONS = [
  'See deals, pipelines and stages',
  'See people, organizations and notes',
  'See leads and activities',
  'See the users of this company',
  'Be told of changes (webhooks)',
];

type View = { companies: ReadonlyMap<number, Company>; preselected: string | null; query: string };

/** `query` is the authorize request's own query, which the form posts back. */
export function consentPage({ companies, preselected, query }: View): string {
  const everybody = [...companies.values()].flatMap((company) =>
    [...company.users.live.values()].filter((user) => user.active_flag).map((user) => ({ company, user })),
  );
  const chosen = preselected ?? (everybody[0] === undefined ? '' : `${everybody[0].company.id}-${everybody[0].user.id}`);
  const choices = everybody.map(({ company, user }) => {
    const value = `${company.id}-${user.id}`;
    return html`<label class="choice">
      <input type="radio" name="user" value="${value}" ${value === chosen ? html`checked` : null} />
      <span><strong>${user.name}</strong><br /><small>${company.name}${isAdmin(user) ? ' · admin' : ''}</small></span>
    </label>`;
  });
  const body = html`<main class="consent">
    <form class="card" method="post" action="/oauth/authorize?${query}">
      <div class="consent-marks">
        <span class="mark mark-crm">p</span><span class="consent-dots">···</span><span class="mark mark-app">D</span>
      </div>
      <h1>Dealbell wants to use your account</h1>
      <p class="muted">Dealbell will be able to:</p>
      <ul class="ticks">
        ${PERMISSIONS.map((text) => html`<li>${text}</li>`)}
      </ul>
      <fieldset>
        <legend>Install as</legend>
        <div class="choices">${choices}</div>
      </fieldset>
      <div class="row end">
        <button name="decision" value="cancel">Cancel</button>
        <button class="primary" name="decision" value="allow">Allow and install</button>
      </div>
    </form>
  </main>`;
  return page({ title: 'Allow Dealbell', body, theme: 'light' });
}
