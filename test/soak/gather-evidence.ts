/** What the stand-in Chat has seen in some spaces, and what the ledger says its folds tell: the ground of a tally. */

import type { Pool } from 'pg';
import type { FakeGoogleChat } from '../fakes/google-chat/fake-google-chat';
import { visibleText } from '../support/channel';
import type { Evidence } from './soak-tally';

const UNFINISHED = `
  SELECT (SELECT count(*) FROM events WHERE routed_at IS NULL)::int
       + (SELECT count(*) FROM deliveries WHERE state NOT IN ('sent', 'dropped', 'failed', 'folded'))::int AS count`;
const LEFT = `
  SELECT (SELECT count(*) FROM events WHERE routed_at IS NULL)::int AS unrouted,
         (SELECT jsonb_object_agg(state, n) FROM (SELECT state, count(*) AS n FROM deliveries GROUP BY state) by_state) AS deliveries`;
/** Each folded delivery points to the one whose message told it. */
const FOLDED = `
  SELECT lead.chat_message_name AS name, d.record ->> 'title' AS title
    FROM deliveries d JOIN deliveries lead ON lead.id = coalesce(d.folded_into, d.id)
   WHERE lead.fold_kind IS NOT NULL AND lead.state = 'sent' AND (d.state = 'folded' OR d.id = lead.id)`;

/** Whether every event is routed and no message waits. */
export async function isAtRest(ledger: Pool): Promise<boolean> {
  const { rows } = await ledger.query<{ count: number }>(UNFINISHED);
  return rows[0]?.count === 0;
}

/** What lies in the ledger, for whoever waits too long. */
export async function leftToDo(ledger: Pool): Promise<string> {
  const { rows } = await ledger.query<{ unrouted: number; deliveries: object | null }>(LEFT);
  return `${rows[0]?.unrouted ?? 0} events to route; deliveries ${JSON.stringify(rows[0]?.deliveries ?? {})}`;
}

export async function gatherEvidence(chat: FakeGoogleChat, ledger: Pool, spaceIds: readonly string[]): Promise<Evidence> {
  const shown = (spaceId: string) =>
    chat.messages(spaceId).map((message) => ({ name: message.name, text: visibleText(message) }));
  const times = (spaceId: string) => chat.requests.filter((request) => request.spaceId === spaceId).map(({ at }) => at);
  const { rows } = await ledger.query<{ name: string; title: string }>(FOLDED);
  const folds = new Map<string, string[]>();
  for (const { name, title } of rows) folds.set(name, [...(folds.get(name) ?? []), title]);
  return {
    messages: new Map(spaceIds.map((spaceId) => [spaceId, shown(spaceId)])),
    requests: new Map(spaceIds.map((spaceId) => [spaceId, times(spaceId)])),
    folds,
    changedBodies: chat.requestIdMismatch,
  };
}
