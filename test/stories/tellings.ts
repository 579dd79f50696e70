/** What people do at Pipedrive, for each event type, and the words that its cards must have. */

import { DEMO_COMPANY_ID } from '../fakes/pipedrive/seed-crm';
import type { World } from '../support/world';

const DEAL_WORDS = ['Alice Moreau', '€12,345'];
const PLACE_WORDS = ['New business', 'Qualified', 'Alpenglow Hotels', 'Jonas Weber'];

/** What a person does at Pipedrive; gives the path of the record that the message must lead to. */
type Deed = (world: World, title: string) => Promise<string>;

export interface Telling {
  readonly type: string;
  readonly deed: Deed;
  /** What both cards must say besides the title. */
  readonly words: readonly string[];
  /** What the detailed card says besides. */
  readonly details?: readonly string[];
  readonly filters?: object;
}

const dealTelling = (type: string, deed: Deed, words: readonly string[] = [], filters = {}): Telling => ({
  ...{ type, deed, filters },
  words: [...DEAL_WORDS, ...words],
  details: PLACE_WORDS,
});

const changing =
  (changes: object | ((world: World) => object), start: object = {}): Deed =>
  async (world, title) => {
    const id = await newDeal(world, title, start);
    world.pipedrive.updateDeal(id, typeof changes === 'function' ? changes(world) : changes);
    return `/deal/${id}`;
  };

export const TELLINGS: readonly Telling[] = [
  dealTelling('deal.created', async (world, title) => `/deal/${await newDeal(world, title)}`),
  dealTelling('deal.won', changing({ status: 'won' })),
  dealTelling('deal.lost', changing({ status: 'lost', lost_reason: 'Went to a rival' }), ['Went to a rival']),
  dealTelling('deal.reopened', changing({ status: 'open' }, { status: 'lost' })),
  {
    ...dealTelling(
      'deal.stage_changed',
      changing((world) => ({ stage_id: stage(world, 'Proposal made') })),
      ['Qualified', 'Proposal made'],
    ),
    details: ['New business', 'Alpenglow Hotels', 'Jonas Weber'],
  },
  {
    ...dealTelling(
      'deal.pipeline_changed',
      changing((world) => ({ pipeline_id: pipeline(world, 'Renewals') })),
      ['New business', 'Renewals'],
    ),
    details: ['Up for renewal', 'Alpenglow Hotels', 'Jonas Weber'],
  },
  dealTelling('deal.owner_changed', changing({ owner_id: 12415001 }, { owner_id: 12415002 }), ['Ben Okafor']),
  dealTelling('deal.value_changed', changing({ value: 12345 }, { value: 9000 }), ['€9,000']),
  dealTelling('deal.close_date_changed', changing({ expected_close_date: '2027-03-31' }), ['31 Mar 2027']),
  dealTelling('deal.label_added', changing({ label_ids: [24] })),
  dealTelling('deal.field_changed', changing({ probability: 70 }), ['70'], { fields: ['probability'] }),
  dealTelling('deal.merged', async (world, title) => {
    const swallowed = await newDeal(world, 'The twin of it');
    const survivor = await newDeal(world, title);
    world.pipedrive.mergeDeals(swallowed, survivor);
    return `/deal/${survivor}`;
  }),
  dealTelling('deal.deleted', async (world, title) => {
    const id = await newDeal(world, title);
    world.pipedrive.deleteDeal(id);
    return `/deal/${id}`;
  }),
  {
    type: 'lead.created',
    deed: async (world, title) => `/leads/inbox/${await newLead(world, title)}`,
    words: ['Alice Moreau', '€12,345'],
  },
  dealTelling('lead.converted', async (world, title) => {
    const lead = await newLead(world, title);
    return `/deal/${world.pipedrive.convertLead(lead, { nameLead: true }).id}`;
  }),
  {
    type: 'lead.archived',
    words: ['Alice Moreau'],
    deed: async (world, title) => {
      const lead = await newLead(world, title);
      world.pipedrive.updateLead(lead, { is_archived: true });
      return `/leads/inbox/${lead}`;
    },
  },
  {
    type: 'person.created',
    words: ['Alice Moreau'],
    deed: async (world, title) => `/person/${world.pipedrive.createPerson(DEMO_COMPANY_ID, { name: title }).id}`,
  },
  {
    type: 'organization.created',
    words: ['Alice Moreau'],
    deed: async (world, title) => `/organization/${world.pipedrive.createOrganization(DEMO_COMPANY_ID, { name: title }).id}`,
  },
  { type: 'activity.created', words: ['Alice Moreau', 'Spa towels for 12 hotels'], deed: activity(false) },
  { type: 'activity.completed', words: ['Alice Moreau', 'Spa towels for 12 hotels'], deed: activity(true) },
  {
    type: 'note.created',
    words: ['Alice Moreau', 'Spa towels for 12 hotels'],
    deed: async (world, title) => {
      const deal = seededDeal(world, 'Spa towels for 12 hotels');
      world.pipedrive.createNote(DEMO_COMPANY_ID, { content: `<p>${title}</p>`, deal_id: deal });
      return `/deal/${deal}`;
    },
  },
];

function activity(isDoneLater: boolean): Deed {
  return async (world, title) => {
    const deal = seededDeal(world, 'Spa towels for 12 hotels');
    const { id } = world.pipedrive.createActivity(DEMO_COMPANY_ID, { subject: title, deal_id: deal });
    await world.pipedrive.idle();
    if (isDoneLater) world.pipedrive.updateActivity(id, { done: true });
    return `/deal/${deal}`;
  };
}

export async function newDeal(world: World, title: string, fields: object = {}): Promise<number> {
  const company = world.pipedrive.company(DEMO_COMPANY_ID);
  const organization = [...company.organizations.live.values()].find(({ name }) => name === 'Alpenglow Hotels');
  const person = [...company.persons.live.values()].find(({ name }) => name === 'Jonas Weber');
  const contact = { org_id: organization?.id ?? null, person_id: person?.id ?? null };
  const deal = {
    title,
    value: 12345,
    currency: 'EUR',
    owner_id: 12415001,
    stage_id: stage(world, 'Qualified'),
    ...contact,
    ...fields,
  };
  const { id } = world.pipedrive.createDeal(DEMO_COMPANY_ID, deal);
  await world.pipedrive.idle();
  return id;
}

async function newLead(world: World, title: string): Promise<string> {
  const contact = [...world.pipedrive.company(DEMO_COMPANY_ID).persons.live.values()].find(({ name }) => name === 'Jonas Weber');
  const { id } = world.pipedrive.createLead(DEMO_COMPANY_ID, {
    ...{ title, value: { amount: 12345, currency: 'EUR' }, owner_id: 12415001 },
    ...{ person_id: contact?.id ?? null, organization_id: contact?.org_id ?? null },
  });
  await world.pipedrive.idle();
  return id;
}

export function stage(world: World, name: string): number {
  return idNamed(world.pipedrive.company(DEMO_COMPANY_ID).stages.live.values(), name);
}

export function pipeline(world: World, name: string): number {
  return idNamed(world.pipedrive.company(DEMO_COMPANY_ID).pipelines.live.values(), name);
}

function idNamed(records: Iterable<{ readonly id: number; readonly name: string }>, name: string): number {
  const found = [...records].find((record) => record.name === name);
  if (found === undefined) throw new Error(`the demo company has no ${name}`);
  return found.id;
}

function seededDeal(world: World, title: string): number {
  const found = [...world.pipedrive.company(DEMO_COMPANY_ID).deals.live.values()].find((deal) => deal.title === title);
  if (found === undefined) throw new Error(`the demo company has no deal ${title}`);
  return found.id;
}
