/** Does what a newcomer would do first: installs Dealbell, connects the two spaces and makes rules. */

import type { World } from '../support/world';
import { makeSandboxApi, type RuleWish } from './sandbox-api';
import type { SandboxSpace } from './start-sandbox';

type Wish = Pick<RuleWish, 'name' | 'eventType' | 'templateMode'>;

const OF_WINS: readonly Wish[] = [{ name: 'Deal won', eventType: 'deal.won', templateMode: 'detailed' }];
const OF_TEAM: readonly Wish[] = [
  { name: 'New deal', eventType: 'deal.created', templateMode: 'detailed' },
  { name: 'Deal moved', eventType: 'deal.stage_changed', templateMode: 'compact' },
  { name: 'Deal lost', eventType: 'deal.lost', templateMode: 'detailed' },
  { name: 'Deal reopened', eventType: 'deal.reopened', templateMode: 'compact' },
  { name: 'New note', eventType: 'note.created', templateMode: 'compact' },
  { name: 'Activity done', eventType: 'activity.completed', templateMode: 'compact' },
  { name: 'Lead converted', eventType: 'lead.converted', templateMode: 'detailed' },
];

/**
 * Installs anew, because the stand-in Pipedrive forgets installs; destinations and rules of a kept sandbox stay as they are.
 * Returns what the rules listen to, one line per space.
 */
export async function makeReady(
  world: World,
  { wins, team }: { readonly wins: SandboxSpace; readonly team: SandboxSpace },
): Promise<readonly string[]> {
  const api = makeSandboxApi(world, await world.install());
  if (await api.hasRules()) return ['as you left them the last time'];
  const connect = async (space: SandboxSpace, wishes: readonly Wish[]): Promise<string> => {
    const id = await api.addDestination({ name: space.name, url: space.webhookUrl });
    for (const wish of wishes) await api.addRule({ ...wish, targetWebhookIds: [id] });
    return `${space.name} hears of: ${wishes.map((wish) => wish.name.toLowerCase()).join(', ')}`;
  };
  return [await connect(wins, OF_WINS), await connect(team, OF_TEAM)];
}
