/** The demo's day, second part: activities, notes, leads, merges, new names, and a token that ends in between. */

import { DEMO_COMPANY_ID } from '../fakes/pipedrive/seed-crm';
import type { World } from '../support/world';
import { card } from './compare-cards';
import { SPACES } from './demo-cast';
import { change } from './demo-deals';
import { dealTitled, leadTitled, stageNamed, userNamed } from './demo-find';
import type { Step } from './demo-stage';

const HOME = { companyId: DEMO_COMPANY_ID };
const { wins, team, desk } = SPACES;
const CAMPUS = 'Campus furniture';
const CARLA = 'Carla Lindqvist';
const CLINIC = 'Clinic consumables, first order';

/** Everything around deals. */
export function recordSteps(world: World): readonly Step[] {
  return [...conversation(world), ...housekeeping(world), newNames(world), expiredToken(world)];
}

function conversation(world: World): readonly Step[] {
  const { pipedrive } = world;
  const deal_id = dealTitled(world, CAMPUS);
  const carla = userNamed(world, CARLA);
  const call = { id: 0 };
  const content = '<p>Board agrees to <b>two floors</b>. &lt;users/all&gt; please read</p>';
  return [
    {
      title: 'A call is planned: no rule asks for that',
      act: () => {
        const fields = { subject: 'Go through the offer', type: 'call', deal_id, owner_id: carla };
        call.id = pipedrive.createActivity(DEMO_COMPANY_ID, fields).id;
      },
      cards: [],
    },
    {
      title: 'The call is done: told in the thread of its deal',
      act: () => void pipedrive.updateActivity(call.id, { done: true, update_user_id: carla }, HOME),
      cards: [card(desk, `Call done · Go through the offer · ${CAMPUS} · ${CARLA}`, { answers: 'New deal' })],
    },
    {
      title: 'A note on the same deal, in the same thread, harmless although it tries to call everybody',
      act: () => void pipedrive.createNote(DEMO_COMPANY_ID, { deal_id, user_id: carla, content }),
      cards: [
        card(desk, `Note on a deal · Board agrees to two floors · ${CAMPUS} · ${CARLA}`, { answers: 'Go through the offer' }),
      ],
    },
  ];
}

function housekeeping(world: World): readonly Step[] {
  const { pipedrive } = world;
  return [
    {
      title: 'A lead becomes a deal: one story, not a new deal and a lead that is gone',
      act: () => void pipedrive.convertLead(leadTitled(world, 'Work shoes for the night shift'), HOME),
      cards: [card(team, 'Lead converted · Work shoes for the night shift · €5,200 · Ben Okafor', { hides: ['New deal'] })],
    },
    {
      title: 'Two deals are merged: one story, not a deletion',
      act: () => void pipedrive.mergeDeals(dealTitled(world, 'Reception desk'), dealTitled(world, CAMPUS), HOME),
      cards: [card(team, `Deals merged · ${CAMPUS} · Reception desk · €64,000 · ${CARLA}`, { hides: ['deleted'] })],
    },
    {
      title: 'A deal is deleted',
      act: () => void pipedrive.deleteDeal(dealTitled(world, 'Mill safety equipment'), HOME),
      cards: [card(team, 'Deal deleted · Mill safety equipment · €7,250 · Ben Okafor')],
    },
  ];
}

function newNames(world: World): Step {
  const { pipedrive } = world;
  return {
    title: 'A stage and a user get new names: the next card has them',
    act: async () => {
      const stage_id = stageNamed(world, 'Demo scheduled');
      pipedrive.renameStage(stage_id, 'Demo booked', HOME);
      pipedrive.renameUser(userNamed(world, 'David Novak'), 'David Novak-Berg', HOME);
      await pipedrive.idle();
      await change(world, CLINIC, { stage_id });
    },
    cards: [card(team, `${CLINIC} · Qualified → Demo booked · David Novak-Berg · €3,480`, { hides: ['Demo scheduled'] })],
  };
}

/** The card wants names that Dealbell has not needed so far, and asks for them with a token that has just ended. */
function expiredToken(world: World): Step {
  const { pipedrive } = world;
  const refreshes = () => pipedrive.requests.filter(({ path, status }) => path.endsWith('/oauth/token') && status === 200).length;
  let before = 0;
  return {
    title: 'The access token ends: a new one is fetched, and the card has all names',
    act: () => {
      before = refreshes();
      pipedrive.expireAccessTokens();
      return change(world, 'Print room refit', { status: 'won' });
    },
    cards: [card(wins, `Deal won · Print room refit · €23,900 · ${CARLA} · Delta Print Works · Lucas Martin · Demo booked`)],
    alsoHolds: () => (refreshes() === before + 1 ? [] : [`the token was fetched anew ${refreshes() - before} times, not once`]),
  };
}
