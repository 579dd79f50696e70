/** The demo's day, second part: activities, notes, leads and merges, then a burst, an outage, renames and an expired token. */

import { setTimeout as pause } from 'node:timers/promises';
import { DEMO_COMPANY_ID } from '../fakes/pipedrive/seed-crm';
import type { World } from '../support/world';
import { BURST, SPACES, stageNamed, type Cast } from './demo-cast';
import { dealTitled, userNamed } from './demo-deals';
import type { Step } from './demo-stage';

const HOME = { companyId: DEMO_COMPANY_ID };
const { wins, team, desk } = SPACES;
const RETRY_AFTER_S = 2;
const CONDITION_LIMIT_MS = 15_000;

/** Everything around deals. */
export function recordSteps(world: World): readonly Step[] {
  const { pipedrive } = world;
  const campus = dealTitled(world, 'Campus furniture');
  const carla = userNamed(world, 'Carla Lindqvist');
  const call = { id: 0 };
  return [
    {
      title: 'A call is planned: no rule asks for that',
      act: () => {
        const fields = { subject: 'Go through the offer', type: 'call', deal_id: campus, owner_id: carla };
        call.id = pipedrive.createActivity(DEMO_COMPANY_ID, fields).id;
      },
      cards: [],
    },
    {
      title: 'The call is done: told in the thread of its deal',
      act: () => void pipedrive.updateActivity(call.id, { done: true, update_user_id: carla }, HOME),
      cards: [{ space: desk, says: ['Call done', 'Go through the offer', 'Campus furniture', 'Carla Lindqvist'], answers: 'Campus furniture' }],
    },
    {
      title: 'A note on the same deal, in the same thread, harmless although it tries to call everybody',
      act: () => {
        const content = '<p>Board agrees to <b>two floors</b>. &lt;users/all&gt; please read</p>';
        pipedrive.createNote(DEMO_COMPANY_ID, { deal_id: campus, user_id: carla, content });
      },
      cards: [{ space: desk, says: ['Note on a deal', 'Board agrees to two floors', 'Campus furniture', 'Carla Lindqvist'], answers: 'Go through the offer' }],
    },
    {
      title: 'A lead becomes a deal: one story, not a new deal and a lead that is gone',
      act: () => void pipedrive.convertLead(leadTitled(world, 'Work shoes for the night shift'), HOME),
      cards: [{ space: team, says: ['Lead converted', 'Work shoes for the night shift', '€5,200', 'Ben Okafor'], hides: ['New deal'] }],
    },
    {
      title: 'Two deals are merged: one story, not a deletion',
      act: () => void pipedrive.mergeDeals(dealTitled(world, 'Reception desk'), campus, HOME),
      cards: [{ space: team, says: ['Deals merged', 'Campus furniture', 'Reception desk', '€64,000', 'Carla Lindqvist'], hides: ['deleted'] }],
    },
    {
      title: 'A deal is deleted',
      act: () => void pipedrive.deleteDeal(dealTitled(world, 'Mill safety equipment'), HOME),
      cards: [{ space: team, says: ['Deal deleted', 'Mill safety equipment', '€7,250', 'Ben Okafor'] }],
    },
    {
      title: 'A stage and a user get new names: the next card has them',
      act: async () => {
        pipedrive.renameStage(stageNamed(world, 'Demo scheduled'), 'Demo booked', HOME);
        pipedrive.renameUser(userNamed(world, 'David Novak'), 'David Novak-Berg', HOME);
        await pipedrive.idle();
        pipedrive.updateDeal(dealTitled(world, 'Clinic consumables, first order'), { stage_id: stageNamed(world, 'Demo booked') }, HOME);
      },
      cards: [
        {
          space: team,
          says: ['Clinic consumables, first order', 'Qualified', 'Demo booked', 'David Novak-Berg', '€3,480'],
          hides: ['Demo scheduled'],
        },
      ],
    },
    expiredToken(world),
  ];
}

/** Names that Dealbell has not needed so far, asked for with a token that has just ended. */
function expiredToken(world: World): Step {
  const { pipedrive } = world;
  const refreshes = () => pipedrive.requests.filter(({ path, status }) => path.endsWith('/oauth/token') && status === 200).length;
  const atFirst = { refreshes: 0 };
  return {
    title: 'The access token ends: a new one is fetched, and the card has all names',
    act: () => {
      atFirst.refreshes = refreshes();
      pipedrive.expireAccessTokens();
      pipedrive.updateDeal(dealTitled(world, 'Print room refit'), { status: 'won' }, HOME);
    },
    cards: [{ space: wins, says: ['Deal won', 'Print room refit', '€23,900', 'Carla Lindqvist', 'Delta Print Works', 'Lucas Martin', 'Demo booked'] }],
    alsoHolds: () => (refreshes() === atFirst.refreshes + 1 ? [] : [`the token was fetched ${refreshes() - atFirst.refreshes} times anew`]),
  };
}

/** What goes wrong outside: too much at once, and Google Chat away. */
export function troubleSteps(world: World, { home }: Cast): readonly Step[] {
  return [burst(world, home), outage(world), lostAnswer(world)];
}

function burst(world: World, home: Cast['home']): Step {
  const { pipedrive, chat } = world;
  const refused = { before: 0 };
  return {
    title: `${BURST.length} deals are won in a moment: all told, in the order they came, one a second`,
    isSlow: true,
    act: () => {
      refused.before = chat.counts.byStatus[429] ?? 0;
      for (const { title } of BURST) pipedrive.updateDeal(dealTitled(world, title), { status: 'won' }, { ...HOME, bulk: true });
    },
    cards: async () => {
      const company = pipedrive.company(DEMO_COMPANY_ID);
      const came = (await home.events(BURST.length)).reverse();
      return came.map(({ entityId }) => {
        const deal = company.deals.live.get(Number(entityId));
        return { space: wins, says: ['Deal won', deal?.title ?? '', `€${(deal?.value ?? 0).toLocaleString('en-GB')}`, 'Alice Moreau'] };
      });
    },
    alsoHolds: () => ((chat.counts.byStatus[429] ?? 0) === refused.before ? [] : ['Google Chat had to refuse for too many writes']),
  };
}

function outage(world: World): Step {
  const { pipedrive, chat } = world;
  const busy: { at: number | null; spaceId: string } = { at: null, spaceId: spaceNamed(world, wins) };
  const failures = (spaceId: string) => chat.requests.filter((request) => request.spaceId === spaceId && request.status === 503).length;
  return {
    title: `Google Chat is away (503), then asks to wait ${RETRY_AFTER_S} s (429), then is back: everything once, in order`,
    isSlow: true,
    act: async () => {
      chat.setOutage(null, 503);
      for (const title of ['Hotel supplies renewal', 'Mill service plan']) {
        pipedrive.updateDeal(dealTitled(world, title), { status: 'won' }, HOME);
        await pipedrive.idle();
      }
      pipedrive.updateDeal(dealTitled(world, 'Meeting room furniture'), { status: 'lost', lost_reason: 'No budget this year' }, HOME);
      await until('two refused attempts', () => failures(busy.spaceId) >= 2 && failures(spaceNamed(world, team)) >= 1);
      chat.failNext({ spaceId: busy.spaceId, status: 429, headers: { 'retry-after': String(RETRY_AFTER_S) } });
      chat.setOutage(null, null);
    },
    cards: [
      { space: wins, says: ['Deal won', 'Hotel supplies renewal', '€36,000', 'Ben Okafor'] },
      { space: wins, says: ['Deal won', 'Mill service plan', '€11,400', 'Alice Moreau'] },
      { space: team, says: ['Deal lost', 'Meeting room furniture', 'No budget this year', '$9,900', 'David Novak-Berg'] },
    ],
    alsoHolds: () => waitFaults(world, busy.spaceId),
  };
}

/** After the 429 nothing may be written before the asked time is over; the repeated bodies must have stayed the same. */
function waitFaults({ chat }: World, spaceId: string): readonly string[] {
  const requests = chat.requests.filter((request) => request.spaceId === spaceId);
  const busyAt = requests.findLastIndex((request) => request.status === 429);
  const waitedMs = (requests[busyAt + 1]?.at ?? 0) - (requests[busyAt]?.at ?? 0);
  return [
    ...(waitedMs >= RETRY_AFTER_S * 1000 ? [] : [`after the 429 it waited only ${waitedMs} ms`]),
    ...(chat.requestIdMismatch === 0 ? [] : ['a repeated message had another body']),
  ];
}

function lostAnswer(world: World): Step {
  const { pipedrive, chat } = world;
  const replayed = { before: 0 };
  return {
    title: 'Google Chat posts a message but its answer is lost: sent again, shown once',
    isSlow: true,
    act: () => {
      replayed.before = chat.counts.replayed;
      chat.failNext({ spaceId: spaceNamed(world, wins), reset: true, afterPosting: true });
      pipedrive.updateDeal(dealTitled(world, 'Store network renewal'), { status: 'won' }, HOME);
    },
    cards: [{ space: wins, says: ['Deal won', 'Store network renewal', '$28,700', 'David Novak-Berg'] }],
    alsoHolds: () => (chat.counts.replayed === replayed.before + 1 ? [] : [`it was sent again ${chat.counts.replayed - replayed.before} times`]),
  };
}

async function until(what: string, isMet: () => boolean): Promise<void> {
  for (const end = Date.now() + CONDITION_LIMIT_MS; Date.now() < end; await pause(25)) if (isMet()) return;
  throw new Error(`${what} did not come within ${CONDITION_LIMIT_MS} ms`);
}

function spaceNamed({ chat }: World, name: string): string {
  return chat.spaces().find((space) => space.name === name)?.id ?? '';
}

function leadTitled({ pipedrive }: World, title: string): string {
  const lead = [...pipedrive.company(DEMO_COMPANY_ID).leads.live.values()].find((known) => known.title === title);
  if (lead === undefined) throw new Error(`the demo company has no lead "${title}"`);
  return lead.id;
}
