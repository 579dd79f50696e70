/** The demo's day, first part: what happens to deals, step by step, and exactly which cards it must bring. */

import { DEMO_COMPANY_ID, OTHER_COMPANY_ID } from '../fakes/pipedrive/seed-crm';
import type { World } from '../support/world';
import { SPACES, stageNamed } from './demo-cast';
import type { Step } from './demo-stage';

const HOME = { companyId: DEMO_COMPANY_ID };
const { wins, team, desk, freight } = SPACES;

/** A new deal on its way through the stages, won, lost and back. */
export function dealSteps(world: World): readonly Step[] {
  const { pipedrive } = world;
  const ben = userNamed(world, 'Ben Okafor');
  const stage = (name: string) => ({ stage_id: stageNamed(world, name) });
  const towels = { id: dealTitled(world, 'Spa towels for 12 hotels') };
  const linen = { id: dealTitled(world, 'Linen contract 2027') };
  const fresh = { id: 0 };
  const change = async (id: number, ...changes: readonly Parameters<typeof pipedrive.updateDeal>[1][]): Promise<void> => {
    for (const each of changes) {
      pipedrive.updateDeal(id, each, HOME);
      // The next change of the record is made when this one was heard.
      await pipedrive.idle();
    }
  };
  return [
    {
      title: 'Ben adds a deal of €64,000: told as new to the team, and as big at the deal desk',
      act: () => {
        const place = { org_id: contactOf(world, 'Granite Software').org, person_id: contactOf(world, 'Granite Software').person };
        fresh.id = pipedrive.createDeal(DEMO_COMPANY_ID, { title: 'Campus furniture', value: 64_000, owner_id: ben, ...place }).id;
      },
      cards: [
        {
          space: team,
          says: ['New deal', 'Campus furniture', '€64,000', 'Ben Okafor', 'New business', 'Qualified', 'Granite Software', 'Ethan Clarke'],
        },
        { space: desk, says: ['New deal', 'Campus furniture', '€64,000', 'Ben Okafor'] },
      ],
    },
    {
      title: 'A deal of €9,000 is new: for the team, too small for the deal desk',
      act: () => void pipedrive.createDeal(DEMO_COMPANY_ID, { title: 'Reception desk', value: 9_000, owner_id: ben }),
      cards: [{ space: team, says: ['New deal', 'Reception desk', '€9,000', 'Ben Okafor'] }],
    },
    {
      title: 'One stage forward, to one that no rule asks for',
      act: () => change(fresh.id, stage('Contact made')),
      cards: [],
    },
    {
      title: 'Forward to "Demo scheduled"',
      act: () => change(fresh.id, stage('Demo scheduled')),
      cards: [{ space: team, says: ['Deal moved forward', 'Campus furniture', 'Contact made', 'Demo scheduled', 'Ben Okafor', '€64,000'] }],
    },
    {
      title: 'Another deal skips a stage: from "Proposal made" it is moved on to "Negotiations started"',
      act: () => change(towels.id, stage('Negotiations started')),
      cards: [{ space: team, says: ['Deal moved forward', 'Spa towels for 12 hotels', 'Proposal made', 'Negotiations started', 'Alice Moreau', '€14,800'] }],
    },
    {
      title: 'Moved over two stages in two clicks: one card from the first to the last',
      act: () => change(fresh.id, stage('Proposal made'), stage('Negotiations started')),
      cards: [{ space: team, says: ['Demo scheduled', 'Negotiations started', 'Campus furniture'], hides: ['Proposal made'] }],
    },
    {
      title: 'A slip of the mouse: a stage back and at once forward again',
      act: () => change(fresh.id, stage('Demo scheduled'), stage('Negotiations started')),
      cards: [],
    },
    {
      title: 'Into the other pipeline: told as that, not as a stage too',
      act: () => change(fresh.id, stage('Terms sent')),
      cards: [{ space: team, says: ['another pipeline', 'Campus furniture', 'New business', 'Renewals', 'Negotiations started', 'Terms sent', 'Ben Okafor'] }],
    },
    {
      title: 'Carla takes the deal over',
      act: () => change(fresh.id, { owner_id: userNamed(world, 'Carla Lindqvist') }),
      cards: [{ space: team, says: ['new owner', 'Campus furniture', 'Ben Okafor', 'Carla Lindqvist', '€64,000'] }],
    },
    {
      title: 'Won, and the value corrected right after: one card with the new value',
      act: () => change(linen.id, { status: 'won' }, { value: 45_500 }),
      cards: [
        {
          space: wins,
          says: ['Deal won', 'Linen contract 2027', '€45,500', 'Ben Okafor', 'Alpenglow Hotels', 'Jonas Weber', 'New business', 'Negotiations started'],
          hides: ['€42,000'],
        },
      ],
    },
    { title: 'A later edit of the won deal', act: () => change(linen.id, { value: 46_000 }, { expected_close_date: '2027-03-01' }), cards: [] },
    { title: 'Pipedrive sends the win a second time, and as its own retry', act: () => sendWinAgain(world, linen.id), cards: [] },
    {
      title: 'Lost, with a reason',
      act: () => change(towels.id, { status: 'lost', lost_reason: 'Went with a local laundry' }),
      cards: [{ space: team, says: ['Deal lost', 'Spa towels for 12 hotels', 'Went with a local laundry', '€14,800', 'Alice Moreau'] }],
    },
    {
      title: 'Reopened',
      act: () => change(towels.id, { status: 'open' }),
      cards: [{ space: team, says: ['Deal reopened', 'Spa towels for 12 hotels', '€14,800', 'Alice Moreau'] }],
    },
    {
      title: 'Another company wins a deal: its own space hears of it, nobody else',
      act: () => void pipedrive.updateDeal(dealTitled(world, 'Warehouse pilot', OTHER_COMPANY_ID), { status: 'won' }, { companyId: OTHER_COMPANY_ID }),
      cards: [{ space: freight, says: ['Deal won', 'Warehouse pilot', '6,500', 'Noah Fischer'] }],
    },
    {
      title: 'Another company loses a deal, of which it has no rule',
      act: () =>
        void pipedrive.updateDeal(dealTitled(world, 'Weekly cold chain route', OTHER_COMPANY_ID), { status: 'lost' }, { companyId: OTHER_COMPANY_ID }),
      cards: [],
    },
  ];
}

/** What Pipedrive does when it has not seen our answer: the same body again, and as the second attempt. */
async function sendWinAgain({ pipedrive }: World, dealId: number): Promise<void> {
  const won = pipedrive.deliveries.find(
    ({ event }) => event.meta['entity_id'] === String(dealId) && event.previous !== null && 'status' in event.previous,
  );
  if (won === undefined) throw new Error('the stand-in has not delivered the win');
  for (const attempt of [1, 2]) {
    const answer = await pipedrive.sendRaw(won.webhookId, { ...won.event, meta: { ...won.event.meta, attempt } });
    if (answer.status !== 200) throw new Error(`a repeated webhook was answered ${answer.status ?? 'not at all'}`);
  }
}

export function userNamed({ pipedrive }: World, name: string): number {
  return found([...pipedrive.company(DEMO_COMPANY_ID).users.live.values()].find((user) => user.name === name)?.id, name);
}

export function dealTitled({ pipedrive }: World, title: string, companyId = DEMO_COMPANY_ID): number {
  return found([...pipedrive.company(companyId).deals.live.values()].find((deal) => deal.title === title)?.id, title);
}

function contactOf({ pipedrive }: World, organization: string): { readonly org: number; readonly person: number } {
  const { organizations, persons } = pipedrive.company(DEMO_COMPANY_ID);
  const org = found([...organizations.live.values()].find((known) => known.name === organization)?.id, organization);
  return { org, person: found([...persons.live.values()].find((person) => person.org_id === org)?.id, organization) };
}

function found<T>(value: T | undefined, name: string): T {
  if (value === undefined) throw new Error(`the demo company has no "${name}"`);
  return value;
}
