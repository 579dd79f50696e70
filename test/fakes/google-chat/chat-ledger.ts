// What the stand-in remembers: spaces, webhooks, posted messages, threads, request ids, and each space's quota.
import { hash, randomBytes } from 'node:crypto';
import type { CardWithId, ChatMessage } from './chat-message';

export interface ChatSpace {
  readonly id: string;
  readonly name: string;
  readonly threading: 'threaded' | 'unthreaded';
}

export interface ChatWebhook {
  readonly spaceId: string;
  readonly name: string;
  readonly token: string;
  readonly url: string;
}

export interface PostedMessage {
  /** `spaces/X/messages/Y.Z` */
  readonly name: string;
  readonly spaceId: string;
  readonly text: string | undefined;
  readonly cardsV2: readonly CardWithId[];
  readonly fallbackText: string | undefined;
  readonly threadKey: string | undefined;
  /** `spaces/X/threads/Y` */
  readonly threadName: string;
  readonly requestId: string | undefined;
  readonly rawBody: string;
  /** Milliseconds since 1970, by the stand-in's clock. */
  readonly createdAt: number;
  readonly webhookName: string;
  readonly message: ChatMessage;
}

/** What a request id has led to; the digest tells whether a repetition had the same body. */
export interface KnownRequest {
  readonly name: string;
  readonly threadName: string;
  readonly createdAt: number;
  readonly bodyDigest: string;
}

interface SpaceState {
  readonly space: ChatSpace;
  readonly webhooks: Map<string, ChatWebhook>;
  readonly deletedTokens: Set<string>;
  readonly threads: Map<string, string>;
  readonly messages: PostedMessage[];
  nextWriteAt: number;
  postedCount: number;
  seenCount: number;
}

export type ChatLedger = ReturnType<typeof makeChatLedger>;

/** The `key` is "a common value shared between webhooks"; only the token is secret. */
export const COMMON_KEY = `AIza${'StandInForGoogleChat'.padEnd(35, '0')}`;

/**
 * @param origin gives the server's origin, which webhook URLs start with
 * @throws Error when a space or webhook is named that does not exist, or a space id is taken
 */
export function makeChatLedger({ origin }: { origin: () => string }) {
  const spaces = new Map<string, SpaceState>();
  const known = new Map<string, KnownRequest>();
  const all: PostedMessage[] = [];
  let revision = 0;

  const stateOf = (spaceId: string): SpaceState => {
    const state = spaces.get(spaceId);
    if (!state) {
      throw new Error(`The stand-in Google Chat has no space ${spaceId}.`);
    }
    return state;
  };

  return {
    createSpace({
      name,
      id = `AAQA${randomId()}`,
      threading = 'threaded',
    }: {
      name: string;
      id?: string;
      threading?: ChatSpace['threading'];
    }): ChatSpace {
      if (!/^[A-Za-z0-9_-]{1,128}$/.test(id) || spaces.has(id)) {
        throw new Error(`The space id ${id} is malformed or taken.`);
      }
      const space = { id, name, threading };
      revision += 1;
      spaces.set(id, {
        space,
        webhooks: new Map(),
        deletedTokens: new Set(),
        threads: new Map(),
        messages: [],
        nextWriteAt: 0,
        postedCount: 0,
        seenCount: 0,
      });
      return space;
    },
    createWebhook(
      spaceId: string,
      { name = 'Webhook', token = `${randomBytes(32).toString('base64url')}=` }: { name?: string; token?: string } = {},
    ): ChatWebhook {
      const url = `${origin()}/v1/spaces/${spaceId}/messages?key=${COMMON_KEY}&token=${encodeURIComponent(token)}`;
      const webhook = { spaceId, name, token, url };
      revision += 1;
      stateOf(spaceId).webhooks.set(token, webhook);
      return webhook;
    },
    deleteWebhook(url: string): void {
      const token = new URL(url).searchParams.get('token') ?? '';
      const spaceId = /\/spaces\/([^/]+)\//.exec(url)?.[1] ?? '';
      if (!stateOf(spaceId).webhooks.delete(token)) {
        throw new Error('The stand-in Google Chat has no such webhook.');
      }
      stateOf(spaceId).deletedTokens.add(token);
    },
    /** Grows with every change that a page shows. */
    revision: (): number => revision,
    space: (spaceId: string): ChatSpace | undefined => spaces.get(spaceId)?.space,
    spaces: (): readonly ChatSpace[] => [...spaces.values()].map(({ space }) => space),
    webhooks: (spaceId: string): readonly ChatWebhook[] => [...stateOf(spaceId).webhooks.values()],
    webhook: (spaceId: string, token: string): ChatWebhook | undefined => spaces.get(spaceId)?.webhooks.get(token),
    wasDeleted: (spaceId: string, token: string): boolean => spaces.get(spaceId)?.deletedTokens.has(token) ?? false,
    messages: (spaceId?: string): readonly PostedMessage[] => (spaceId === undefined ? [...all] : [...stateOf(spaceId).messages]),
    lastMessage: (): PostedMessage | undefined => all.at(-1),
    postedCount: (spaceId: string | null): number =>
      spaceId === null
        ? [...spaces.values()].reduce((sum, { postedCount }) => sum + postedCount, 0)
        : stateOf(spaceId).postedCount,

    /** Takes the space's write slot; false when the last one is less than `spacingMs` ago. */
    takeSlot(spaceId: string, atMs: number, spacingMs: number): boolean {
      const state = stateOf(spaceId);
      if (atMs < state.nextWriteAt) {
        return false;
      }
      state.nextWriteAt = atMs + spacingMs;
      return true;
    },
    /** A thread key is private to the webhook that set it. */
    thread: (webhook: ChatWebhook, key: string): string | undefined =>
      stateOf(webhook.spaceId).threads.get(`${webhook.token} ${key}`),
    openThread(webhook: ChatWebhook, key: string | undefined): string {
      const name = `spaces/${webhook.spaceId}/threads/${randomId()}`;
      if (key !== undefined) {
        stateOf(webhook.spaceId).threads.set(`${webhook.token} ${key}`, name);
      }
      return name;
    },
    knownRequest: (webhook: ChatWebhook, requestId: string): KnownRequest | undefined =>
      known.get(`${webhook.spaceId} ${webhook.token} ${requestId}`),
    rememberRequest(webhook: ChatWebhook, requestId: string, request: KnownRequest): void {
      known.set(`${webhook.spaceId} ${webhook.token} ${requestId}`, request);
    },
    count(spaceId: string): void {
      stateOf(spaceId).postedCount += 1;
      revision += 1;
    },
    keep(message: PostedMessage): void {
      stateOf(message.spaceId).messages.push(message);
      all.push(message);
    },
    markSeen(spaceId: string): void {
      const state = stateOf(spaceId);
      state.seenCount = state.postedCount;
    },
    unreadCount: (spaceId: string): number => stateOf(spaceId).postedCount - stateOf(spaceId).seenCount,
    /** Forgets what was posted; spaces and webhooks stay. */
    clear(): void {
      revision += 1;
      known.clear();
      all.length = 0;
      for (const state of spaces.values()) {
        state.messages.length = 0;
        state.threads.clear();
        Object.assign(state, { nextWriteAt: 0, postedCount: 0, seenCount: 0 });
      }
    },
  };
}

/** The name of a new message in a thread: its first message bears the thread's own id twice. */
export function messageName(threadName: string, isFirst: boolean): string {
  const [space, threadId] = threadName.split('/threads/');
  return `${space ?? ''}/messages/${threadId ?? ''}.${isFirst ? (threadId ?? '') : randomId()}`;
}

export function digest(body: string): string {
  return hash('sha1', body);
}

function randomId(): string {
  return randomBytes(8).toString('base64url');
}
