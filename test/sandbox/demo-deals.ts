/** The demo's day, first part: what happens to deals, step by step, and exactly which cards it must bring. */

import type { DealRecord } from '../fakes/pipedrive/crm-records';
import { DEMO_COMPANY_ID, OTHER_COMPANY_ID } from '../fakes/pipedrive/seed-crm';
import type { World } from '../support/world';
import { card } from './compare-cards';
import { SPACES } from './demo-cast';
import { contactOf, dealTitled, stageNamed, userNamed } from './demo-find';
import type { Step } from './demo-stage';

const { wins, team, desk, freight } = SPACES;
const CAMPUS = 'Campus furniture';
const TOWELS = 'Spa towels for 12 hotels';
const LINEN = 'Linen contract 2027';

/** Deals come, move, are won and lost, in this company and in another. */
export function dealSteps(world: World): readonly Step[] {
  return [...newDeals(world), ...moves(world), ...endings(world), ...otherCompany(world)];
}

function newDeals(world: World): readonly Step[] {
  const add = (fields: Partial<DealRecord>): void => {
    world.pipedrive.createDeal(DEMO_COMPANY_ID, { owner_id: userNamed(world, 'Ben Okafor'), ...fields });
  };
  return [
    {
      title: 'Ben adds a deal of €64,000: told as new to the team, and as big at the deal desk',
      act: () => add({ title: CAMPUS, value: 64_000, ...contactOf(world, 'Granite Software') }),
      cards: [
        card(team, `New deal · ${CAMPUS} · €64,000 · Ben Okafor · New business · Qualified · Granite Software · Ethan Clarke`),
        card(desk, `New deal · ${CAMPUS} · €64,000 · Ben Okafor`),
      ],
    },
    {
      title: 'A deal of €9,000 is new: for the team, too small for the deal desk',
      act: () => add({ title: 'Reception desk', value: 9_000 }),
      cards: [card(team, 'New deal · Reception desk · €9,000 · Ben Okafor')],
    },
  ];
}

function moves(world: World): readonly Step[] {
  const toStages =
    (title: string, ...names: readonly string[]) =>
    () =>
      change(world, title, ...names.map((name) => ({ stage_id: stageNamed(world, name) })));
  return [
    { title: 'One stage forward, to one that no rule asks for', act: toStages(CAMPUS, 'Contact made'), cards: [] },
    {
      title: 'Forward to "Demo scheduled"',
      act: toStages(CAMPUS, 'Demo scheduled'),
      cards: [card(team, `Deal moved forward · ${CAMPUS} · Contact made → Demo scheduled · Ben Okafor · €64,000`)],
    },
    {
      title: 'Another deal skips a stage',
      act: toStages('Meeting room furniture', 'Demo scheduled'),
      cards: [card(team, 'Deal moved forward · Meeting room furniture · Qualified → Demo scheduled · David Novak · $9,900')],
    },
    {
      title: 'Moved over two stages in two clicks: one card from the first to the last',
      act: toStages(CAMPUS, 'Proposal made', 'Negotiations started'),
      cards: [card(team, `${CAMPUS} · Demo scheduled → Negotiations started`, { hides: ['Proposal made'] })],
    },
    {
      title: 'A slip of the mouse: a stage back and at once forward again',
      act: toStages(CAMPUS, 'Demo scheduled', 'Negotiations started'),
      cards: [],
    },
    {
      title: 'Back to "Demo scheduled", this time for good',
      act: toStages(CAMPUS, 'Demo scheduled'),
      cards: [card(team, `Deal moved back · ${CAMPUS} · Negotiations started → Demo scheduled · Ben Okafor · €64,000`)],
    },
    {
      title: 'Into the other pipeline: told as that, not as a stage too',
      act: toStages(CAMPUS, 'Terms sent'),
      cards: [card(team, `another pipeline · ${CAMPUS} · New business → Renewals · Demo scheduled → Terms sent · Ben Okafor`)],
    },
    {
      title: 'Carla takes the deal over',
      act: () => change(world, CAMPUS, { owner_id: userNamed(world, 'Carla Lindqvist') }),
      cards: [card(team, `new owner · ${CAMPUS} · Ben Okafor → Carla Lindqvist · €64,000`)],
    },
  ];
}

function endings(world: World): readonly Step[] {
  const linen = `${LINEN} · €45,500 · Ben Okafor · Alpenglow Hotels · Jonas Weber · New business · Negotiations started`;
  return [
    {
      title: 'Won, and the value corrected right after: one card with the new value',
      act: () => change(world, LINEN, { status: 'won' }, { value: 45_500 }),
      cards: [card(wins, `Deal won · ${linen}`, { hides: ['€42,000'] })],
    },
    {
      title: 'Later edits of the won deal',
      act: () => change(world, LINEN, { value: 46_000 }, { expected_close_date: '2027-03-01' }),
      cards: [],
    },
    { title: 'Pipedrive sends the win a second time, and as its own retry', act: () => sendWinAgain(world, LINEN), cards: [] },
    {
      title: 'Lost, with a reason',
      act: () => change(world, TOWELS, { status: 'lost', lost_reason: 'Went with a local laundry' }),
      cards: [card(team, `Deal lost · ${TOWELS} · Went with a local laundry · €14,800 · Alice Moreau`)],
    },
    {
      title: 'Reopened',
      act: () => change(world, TOWELS, { status: 'open' }),
      cards: [card(team, `Deal reopened · ${TOWELS} · €14,800 · Alice Moreau`)],
    },
  ];
}

function otherCompany(world: World): readonly Step[] {
  const end = (title: string, status: 'won' | 'lost'): void => {
    const companyId = OTHER_COMPANY_ID;
    world.pipedrive.updateDeal(dealTitled(world, title, companyId), { status }, { companyId });
  };
  return [
    {
      title: 'Another company wins a deal: its own space hears of it, nobody else',
      act: () => end('Warehouse pilot', 'won'),
      cards: [card(freight, 'Deal won · Warehouse pilot · $6,500 · Noah Fischer')],
    },
    {
      title: 'Another company loses a deal, of which it has no rule',
      act: () => end('Weekly cold chain route', 'lost'),
      cards: [],
    },
  ];
}

/** One change after the other, each made when the one before was heard. */
export async function change(world: World, title: string, ...changes: readonly Partial<DealRecord>[]): Promise<void> {
  const id = dealTitled(world, title);
  for (const each of changes) {
    world.pipedrive.updateDeal(id, each, { companyId: DEMO_COMPANY_ID });
    await world.pipedrive.idle();
  }
}

/** What Pipedrive does when it has not seen our answer: the same body again, and as the second attempt. */
async function sendWinAgain(world: World, title: string): Promise<void> {
  const { pipedrive } = world;
  const id = String(dealTitled(world, title));
  const won = pipedrive.deliveries.find(({ event }) => event.meta['entity_id'] === id && 'status' in (event.previous ?? {}));
  if (won === undefined) throw new Error('the stand-in has not delivered the win');
  for (const attempt of [1, 2]) {
    const answer = await pipedrive.sendRaw(won.webhookId, { ...won.event, meta: { ...won.event.meta, attempt } });
    if (answer.status !== 200) throw new Error(`a repeated webhook was answered ${answer.status ?? 'not at all'}`);
  }
}
