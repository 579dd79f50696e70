/** The REST API as the sandbox uses it: an answer that was not hoped for is an error with Dealbell's own words. */

import { z } from 'zod';
import type { EventType } from '../../src/core/transition';
import { waitUntil } from '../support/wait-until';
import type { World } from '../support/world';

const created = z.object({ id: z.number() });
const list = z.object({ items: z.array(z.object({ id: z.number() })) });
const eventList = z.object({
  items: z.array(
    z.object({ entity: z.string(), entityId: z.string(), routedAt: z.string().nullable(), ignoredReason: z.string().nullable() }),
  ),
});

export interface RuleWish {
  readonly name: string;
  readonly eventType: EventType;
  readonly targetWebhookIds: readonly number[];
  readonly templateMode: 'compact' | 'detailed';
  readonly filters?: { readonly stageIds?: readonly number[]; readonly minValue?: number };
}

export interface SandboxApi {
  addDestination(wish: { readonly name: string; readonly url: string; readonly threads?: 'off' | 'perRecord' }): Promise<number>;
  changeDestination(id: number, fields: object): Promise<void>;
  addRule(wish: RuleWish): Promise<number>;
  hasRules(): Promise<boolean>;
  /** What came in, newest first. */
  events(limit: number): Promise<z.infer<typeof eventList>['items']>;
  /** Everything that came in is decided, and no message is owed any more. */
  isQuiet(): Promise<boolean>;
  /** What waited for a time has been let go. */
  untilNothingIsHeld(): Promise<void>;
}

/** `token`: a page token of one tenant. */
export function makeSandboxApi(world: World, token: string): SandboxApi {
  const call = async <T>(schema: z.ZodType<T>, method: string, path: string, body?: object): Promise<T> => {
    const answer = await world.api(method, path, token, body);
    if (answer.status < 300) return schema.parse(answer.body);
    throw new Error(`${method} ${path} was answered ${answer.status}: ${JSON.stringify(answer.body)}`);
  };
  const events = async (limit: number) => (await call(eventList, 'GET', `/events?limit=${limit}`)).items;
  const owes = async (state: string) => (await call(list, 'GET', `/deliveries?state=${state}&limit=1`)).items.length > 0;
  return {
    addDestination: async (wish) => (await call(created, 'POST', '/chat-webhooks', wish)).id,
    async changeDestination(id, fields) {
      await call(created, 'PUT', `/chat-webhooks/${id}`, fields);
    },
    addRule: async (wish) => (await call(created, 'POST', '/rules', wish)).id,
    hasRules: async () => (await call(list, 'GET', '/rules?limit=1')).items.length > 0,
    events,
    untilNothingIsHeld: () => waitUntil('nothing is held', async () => !(await owes('held'))),
    async isQuiet() {
      const isDecided = (await events(50)).every((event) => event.routedAt !== null || event.ignoredReason !== null);
      // In this order: a delivery goes from queued to sending and, on trouble, back.
      return isDecided && !(await owes('queued')) && !(await owes('sending')) && !(await owes('queued'));
    },
  };
}
