/** A channel of a story: a space in the stand-in Chat that is connected as a destination, and rules that tell it something. */

import type { Pool } from 'pg';
import type { PostedMessage } from '../fakes/google-chat/chat-ledger';
import type { World } from './world';

export interface Channel {
  readonly spaceId: string;
  /** The destination's id in the REST API. */
  readonly id: number;
  readonly url: string;
}

/** Makes a space (or takes the given one) and connects it. `fields` are further fields of `POST /chat-webhooks`. */
export async function connectChannel(
  world: World,
  token: string,
  name: string,
  fields: Readonly<Record<string, unknown>> & { readonly spaceId?: string } = {},
): Promise<Channel> {
  const { spaceId = world.chat.createSpace({ name }).id, ...rest } = fields;
  const { url } = world.chat.createWebhook(spaceId, { name });
  const answer = await world.api('POST', '/chat-webhooks', token, { name, url, ...rest });
  if (answer.status !== 201) throw new Error(`POST /chat-webhooks answered ${answer.status}: ${JSON.stringify(answer.body)}`);
  return { spaceId, id: Number(answer.body.id), url };
}

/** Makes a rule that tells `channel`; gives its id. */
export async function addRule(
  world: World,
  token: string,
  eventType: string,
  channel: Channel,
  fields: object = {},
): Promise<number> {
  const rule = { name: `${eventType} for ${channel.spaceId}`, eventType, targetWebhookIds: [channel.id], ...fields };
  const answer = await world.api('POST', '/rules', token, rule);
  if (answer.status !== 201) throw new Error(`POST /rules answered ${answer.status}: ${JSON.stringify(answer.body)}`);
  return Number(answer.body.id);
}

/** Changes something by `PUT`. */
export async function put(world: World, token: string, path: string, fields: object): Promise<void> {
  const answer = await world.api('PUT', path, token, fields);
  if (answer.status !== 200) throw new Error(`PUT ${path} answered ${answer.status}: ${JSON.stringify(answer.body)}`);
}

/** Nothing goes into the space until it is opened, so that what is to go together is all owed before its first message goes. */
export async function closeSpace(pool: Pool, channel: Channel): Promise<void> {
  // What lies further away is taken for the work of a wrong clock.
  await setSlot(pool, channel, '10 minutes');
}

/** Whatever is due in the space goes. */
export async function openSpace(pool: Pool, channel: Channel): Promise<void> {
  await setSlot(pool, channel, '0 s');
}

async function setSlot(pool: Pool, { spaceId }: Channel, inTime: string): Promise<void> {
  await pool.query(
    `INSERT INTO google_spaces (space_id, next_slot_at) VALUES ($1, now() + $2::interval)
     ON CONFLICT (space_id) DO UPDATE SET next_slot_at = excluded.next_slot_at`,
    [spaceId, inTime],
  );
}

/** What a reader sees of a message: all its texts but the addresses, tags and entities resolved. */
export function visibleText(message: Pick<PostedMessage, 'rawBody'>): string {
  const body: unknown = JSON.parse(message.rawBody);
  return textsIn(body)
    .map((text) => text.replace(/<[^>]*>/g, ''))
    .join('\n')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&amp;', '&')
    .replace(/[\u00A0\u202F]/g, ' ');
}

function textsIn(value: unknown, key = ''): readonly string[] {
  if (typeof value === 'string') return key === 'url' || key === 'cardId' || key === 'threadKey' ? [] : [value];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, item]) => textsIn(item, name));
}
