/** The demo's day, last part: Google Chat away, in a hurry or forgetful, and Dealbell itself away for a moment. */

import { setTimeout as pause } from 'node:timers/promises';
import { DEMO_COMPANY_ID } from '../fakes/pipedrive/seed-crm';
import type { World } from '../support/world';
import { card } from './compare-cards';
import { SPACES } from './demo-cast';
import { change } from './demo-deals';
import { dealTitled, spaceNamed } from './demo-find';
import type { Step } from './demo-stage';

const { wins, team } = SPACES;
const RETRY_AFTER_S = 2;
const CONDITION_LIMIT_MS = 15_000;

export function troubleSteps(world: World): readonly Step[] {
  return [outage(world), lostAnswer(world), restart(world)];
}

function outage(world: World): Step {
  const { chat } = world;
  const [winsId, teamId] = [spaceNamed(world, wins), spaceNamed(world, team)];
  const failures = (id: string) => chat.requests.filter(({ spaceId, status }) => spaceId === id && status === 503).length;
  return {
    title: `Google Chat is away (503), then asks to wait ${RETRY_AFTER_S} s (429), then is back: everything once, in order`,
    isSlow: true,
    act: async () => {
      chat.setOutage(null, 503);
      await change(world, 'Hotel supplies renewal', { status: 'won' });
      await change(world, 'Mill service plan', { status: 'won' });
      await change(world, 'Meeting room furniture', { status: 'lost', lost_reason: 'No budget this year' });
      await until('two refused attempts', () => failures(winsId) >= 2 && failures(teamId) >= 1);
      chat.failNext({ spaceId: winsId, status: 429, headers: { 'retry-after': String(RETRY_AFTER_S) } });
      chat.setOutage(null, null);
    },
    cards: [
      card(wins, 'Deal won · Hotel supplies renewal · €36,000 · Ben Okafor'),
      card(wins, 'Deal won · Mill service plan · €11,400 · Alice Moreau'),
      card(team, 'Deal lost · Meeting room furniture · No budget this year · $9,900 · David Novak-Berg'),
    ],
    alsoHolds: () => faultsOfRetries(world, winsId),
  };
}

/** After the 429 nothing may be written before the asked time is over; bodies that were sent again must have stayed the same. */
function faultsOfRetries({ chat }: World, spaceId: string): readonly string[] {
  const requests = chat.requests.filter((request) => request.spaceId === spaceId);
  const busy = requests.findLastIndex((request) => request.status === 429);
  const waitedMs = (requests[busy + 1]?.at ?? 0) - (requests[busy]?.at ?? 0);
  const bodies = new Map<string | undefined, Set<string>>();
  for (const { requestId, rawBody } of requests) bodies.set(requestId, (bodies.get(requestId) ?? new Set()).add(rawBody));
  return [
    ...(waitedMs >= RETRY_AFTER_S * 1000 ? [] : [`after the 429 it waited only ${waitedMs} ms`]),
    ...([...bodies.values()].every((same) => same.size === 1) ? [] : ['a message was sent again with another body']),
  ];
}

function lostAnswer(world: World): Step {
  const { chat } = world;
  let before = 0;
  return {
    title: 'Google Chat posts a message but its answer is lost: sent again, shown once',
    isSlow: true,
    act: () => {
      before = chat.counts.replayed;
      chat.failNext({ spaceId: spaceNamed(world, wins), reset: true, afterPosting: true });
      return change(world, 'Store network renewal', { status: 'won' });
    },
    cards: [card(wins, 'Deal won · Store network renewal · $28,700 · David Novak-Berg')],
    alsoHolds: () => (chat.counts.replayed === before + 1 ? [] : [`it was sent again ${chat.counts.replayed - before} times`]),
  };
}

function restart(world: World): Step {
  const { chat, pipedrive } = world;
  let before = 0;
  const attemptsFor = (title: string) => {
    const id = String(dealTitled(world, title));
    return pipedrive.deliveries.filter(({ event }) => event.meta['entity_id'] === id);
  };
  return {
    title: 'Dealbell is stopped while a message is owed, and started again; meanwhile a deal is lost: both are told, once',
    isSlow: true,
    act: async () => {
      before = chat.counts.replayed;
      await change(world, 'Spa towels for 12 hotels', { status: 'won' });
      await world.restart(async () => {
        pipedrive.updateDeal(dealTitled(world, 'Campus furniture'), { status: 'lost' }, { companyId: DEMO_COMPANY_ID });
        await until('Pipedrive found nobody', () => attemptsFor('Campus furniture').at(-1)?.failure === 'unreachable');
      });
    },
    cards: [
      card(wins, 'Deal won · Spa towels for 12 hotels · €14,800 · Alice Moreau'),
      card(team, 'Deal lost · Campus furniture · €64,000 · Carla Lindqvist'),
    ],
    alsoHolds: () => [
      ...(attemptsFor('Campus furniture').at(-1)?.status === 200 ? [] : ['Pipedrive never got through with its webhook']),
      ...(chat.counts.replayed === before ? [] : ['a message was sent again']),
    ],
  };
}

async function until(what: string, isMet: () => boolean): Promise<void> {
  for (const end = Date.now() + CONDITION_LIMIT_MS; Date.now() < end; await pause(25)) if (isMet()) return;
  throw new Error(`${what} did not come within ${CONDITION_LIMIT_MS} ms`);
}
