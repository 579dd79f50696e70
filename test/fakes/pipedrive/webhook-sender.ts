/** Delivers CRM events to registered webhooks by Pipedrive's rules: 2xx or retry, ten failed first attempts mean silence. */
import type { CrmEvent } from './entity-actions';
import type { PostOutcome, WebhookPoster } from './post-webhook';
import type { WebhookBody, WebhookRegistration } from './webhook-envelope';
import { asAttempt, hears, webhookBody } from './webhook-envelope';

/** Pipedrive counts failed first attempts and bans a webhook at the tenth. */
const FAILURES_UNTIL_BAN = 10;

export type Delivery = {
  readonly webhookId: number;
  readonly url: string;
  readonly event: WebhookBody;
  readonly attempt: number;
  /** The receiver's HTTP status, or null when there was none (see `failure`). */
  readonly status: number | null;
  readonly failure: 'timeout' | 'unreachable' | null;
  readonly at: Date;
};

export type WebhookSender = {
  /** Every attempt that has ended, oldest first. */
  readonly deliveries: Delivery[];
  /** Events that fell into a ban and will never be sent. */
  readonly lost: { readonly webhookId: number; readonly event: WebhookBody }[];
  send(event: CrmEvent): void;
  /** Posts any body to a webhook (with its credentials) or to a URL (without). */
  sendRaw(target: number | string, body: unknown): Promise<PostOutcome>;
  isBanned(webhookId: number): boolean;
  liftBans(): void;
  /** Resolves when no delivery is under way or waiting for its retry. */
  idle(): Promise<void>;
  /** Forgets a webhook's bans and drops its waiting retries. */
  forget(webhookId: number): void;
  close(): void;
};

type Settings = { readonly retryDelaysMs: readonly number[]; readonly banMs: number; readonly deliveryTimeoutMs: number };
type Needs = {
  webhooks: Map<number, WebhookRegistration>;
  poster: WebhookPoster;
  clock: () => Date;
  newUuid: () => string;
  settings: Settings;
};
type Standing = { failures: number; bannedUntilMs: number };

export function makeWebhookSender({ webhooks, poster, clock, newUuid, settings }: Needs): WebhookSender {
  const deliveries: Delivery[] = [];
  const lost: WebhookSender['lost'] = [];
  const standings = new Map<number, Standing>();
  const retries = new Map<NodeJS.Timeout, number>();
  let underWay = 0;
  let isClosed = false;
  let waitingForIdle: (() => void)[] = [];

  // Bans and retries run on the machine's own time, so that a frozen test clock cannot stop them.
  const isBanned = (webhookId: number): boolean => (standings.get(webhookId)?.bannedUntilMs ?? 0) > performance.now();

  function settle(): void {
    if (underWay > 0 || retries.size > 0) return;
    const waiting = waitingForIdle;
    waitingForIdle = [];
    for (const resolve of waiting) resolve();
  }

  function countFailure(webhookId: number): void {
    const standing = standings.get(webhookId) ?? { failures: 0, bannedUntilMs: 0 };
    standing.failures += 1;
    if (standing.failures >= FAILURES_UNTIL_BAN) {
      standing.failures = 0;
      standing.bannedUntilMs = performance.now() + settings.banMs;
    }
    standings.set(webhookId, standing);
  }

  function retryLater(webhook: WebhookRegistration, body: WebhookBody, attempt: number): void {
    const delayMs = settings.retryDelaysMs[attempt - 1];
    if (delayMs === undefined || isClosed || !webhooks.has(webhook.id)) return;
    const timer = setTimeout(() => {
      retries.delete(timer);
      void deliver(webhook, body, attempt + 1);
    }, delayMs);
    retries.set(timer, webhook.id);
  }

  async function deliver(webhook: WebhookRegistration, body: WebhookBody, attempt: number): Promise<void> {
    underWay += 1;
    const event = attempt === 1 ? body : asAttempt(body, attempt);
    const outcome = await poster.post({
      url: webhook.subscriptionUrl,
      body: JSON.stringify(event),
      user: webhook.httpAuthUser,
      password: webhook.httpAuthPassword,
      timeoutMs: settings.deliveryTimeoutMs,
    });
    const at = clock();
    webhook.lastDeliveryTime = at.toISOString();
    webhook.lastHttpStatus = outcome.status;
    deliveries.push({
      webhookId: webhook.id,
      url: webhook.subscriptionUrl,
      event,
      attempt,
      status: outcome.status,
      failure: outcome.status === null ? outcome.failure : null,
      at,
    });
    if (outcome.status === null || outcome.status < 200 || outcome.status > 299) {
      if (attempt === 1) countFailure(webhook.id);
      retryLater(webhook, body, attempt);
    }
    underWay -= 1;
    settle();
  }

  return {
    deliveries,
    lost,
    isBanned,
    liftBans: () => {
      standings.clear();
    },
    send(event) {
      if (isClosed) return;
      for (const webhook of webhooks.values()) {
        if (!hears(webhook, event)) continue;
        const body = webhookBody(event, webhook, newUuid());
        if (isBanned(webhook.id)) lost.push({ webhookId: webhook.id, event: body });
        else void deliver(webhook, body, 1);
      }
    },
    async sendRaw(target, body) {
      const webhook = typeof target === 'number' ? webhooks.get(target) : undefined;
      if (typeof target === 'number' && webhook === undefined) throw new Error(`the stand-in has no webhook ${target}`);
      return poster.post({
        url: webhook?.subscriptionUrl ?? String(target),
        body: typeof body === 'string' ? body : JSON.stringify(body),
        user: webhook?.httpAuthUser ?? null,
        password: webhook?.httpAuthPassword ?? null,
        timeoutMs: settings.deliveryTimeoutMs,
      });
    },
    idle: () =>
      new Promise((resolve) => {
        waitingForIdle.push(resolve);
        settle();
      }),
    forget(webhookId) {
      standings.delete(webhookId);
      for (const [timer, owner] of retries) {
        if (owner !== webhookId) continue;
        clearTimeout(timer);
        retries.delete(timer);
      }
      settle();
    },
    close() {
      isClosed = true;
      for (const timer of retries.keys()) clearTimeout(timer);
      retries.clear();
      poster.close();
    },
  };
}
