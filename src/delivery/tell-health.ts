/**
 * Tells a tenant, in a destination that works, which of its others broke or work again: one card for all that changed, never a
 * flood. What nobody can be told now stays due.
 */

import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { DeliveryOutcome } from '../core/delivery';
import type { QuietHours } from '../core/destination';
import type { TenantId } from '../core/tenant';
import { renderNotice } from '../messages/render-notice';
import { openIfReadable, type ChatCredentials, type OpenDestination } from './open-destination';
import { isQuiet } from './quiet-hours';
import { backoffMs } from './retry-policy';
import type { SavedDestination, TestAttempt, TestStore } from './send-test';
import { healthAfter, healthWithoutKey, type HealthSettings } from './space-health';

/** A change of health that its tenant has not heard of. */
export interface HealthChangeDue {
  readonly id: number;
  readonly tenantId: TenantId;
  readonly name: string;
  readonly isBroken: boolean;
  readonly reason: string | null;
  /** Where it is best told: its fallback, or where its break was told. */
  readonly preferredIds: readonly number[];
  readonly companyDomain: string;
}

interface Quiet {
  readonly quietHours: QuietHours | null;
  readonly timeZone: string;
}

/** A healthy destination. */
export interface Listener extends Quiet {
  readonly id: number;
  readonly tenantId: TenantId;
}

export interface PlannedNotice {
  readonly tenantId: TenantId;
  readonly listenerId: number;
  readonly aboutIds: readonly number[];
  readonly body: string;
}

/** With what the destination that it goes to wants by now. */
export interface QueuedNotice extends Quiet {
  readonly id: number;
  readonly tenant: { readonly id: TenantId };
  readonly ruleId: null;
  readonly body: string;
  readonly requestId: string;
  readonly attempts: number;
  readonly spaceId: string;
  readonly isPaused: boolean;
  readonly saved: SavedDestination;
}

/** This version cannot read the destination that it goes to by now. */
export interface UnreadableNotice {
  readonly id: number;
  readonly tenantId: TenantId;
  readonly error: unknown;
}

export interface NoticeStore {
  /** Writes down the cards that `plan` makes of what is due, and that it was told; of several workers one does it. */
  oweDue(plan: (due: readonly HealthChangeDue[], listeners: readonly Listener[]) => readonly PlannedNotice[]): Promise<void>;
  claim(): Promise<QueuedNotice | UnreadableNotice | null>;
  /** What a notice that failed or was withdrawn was about is due again, through another destination. */
  settle(
    id: number,
    end: { readonly state: 'queued' | 'sent' | 'failed' | 'withdrawn'; readonly afterMs: number; readonly wasTried: boolean },
  ): Promise<void>;
}

export interface TellHealthDependencies {
  readonly store: NoticeStore;
  readonly slots: Pick<TestStore, 'reserveSlot' | 'recordTest' | 'recordHealth'>;
  readonly openDestination: OpenDestination;
  readonly post: (notice: QueuedNotice, credentials: ChatCredentials) => Promise<DeliveryOutcome>;
  readonly settings: HealthSettings & { readonly spaceIntervalMs: number };
  readonly settingsUrl: (companyDomain: string) => string;
  /** The space is free again, and messages wait there. */
  readonly onFreed: (spaceId: string) => void;
  readonly clock: () => Date;
  readonly log: Logger;
}

export interface TellHealth {
  /** Writes down what is due and begins to send; sending goes on behind. Rejects when the database cannot be reached. */
  run(): Promise<void>;
  /** Waits for what is being sent. */
  close(): Promise<void>;
}

const MAX_ATTEMPTS = 10;
/** That messages do not arrive is told ahead of messages that wait: they would let no notice through where they never end. */
const CUT_IN = { cutInEveryMs: 3_000, withinMs: 2_000 };

/** One card per tenant, where it is preferred, else in the first destination that does not want quiet now. */
export function planNotices(
  due: readonly HealthChangeDue[],
  listeners: readonly Listener[],
  now: Date,
  settingsUrl: (companyDomain: string) => string,
): readonly PlannedNotice[] {
  const tenants = [...new Set(due.map(({ tenantId }) => tenantId))];
  return tenants.flatMap((tenantId) => {
    const news = due.filter((change) => change.tenantId === tenantId);
    const open = listeners.filter((listener) => listener.tenantId === tenantId && !wantsQuiet(listener, now));
    const preferred = news.flatMap(({ preferredIds }) => preferredIds);
    const listener = open.find(({ id }) => preferred.includes(id)) ?? open[0];
    const [first] = news;
    if (listener === undefined || first === undefined) return [];
    const body = JSON.stringify(renderNotice(news, settingsUrl(first.companyDomain)));
    return [{ tenantId, listenerId: listener.id, aboutIds: news.map(({ id }) => id), body }];
  });
}

/** Makes the use case. */
export function makeTellHealth(dependencies: TellHealthDependencies): TellHealth {
  const { store, clock, settingsUrl, log } = dependencies;
  let sending: Promise<void> | null = null;

  /** To another destination: whoever could read this one may not be there. */
  async function pass({ id, tenantId, error }: UnreadableNotice): Promise<void> {
    log.error({ err: error, tenantId, noticeId: id }, 'the destination of a notice cannot be read; another one hears of it');
    await store.settle(id, { state: 'failed', afterMs: 0, wasTried: false });
  }

  async function sendAll(): Promise<void> {
    try {
      for (let notice = await store.claim(); notice !== null; notice = await store.claim())
        await ('error' in notice ? pass(notice) : sendNotice(notice, dependencies));
    } catch (error) {
      log.warn({ err: error }, 'a notice could not be sent; the next round tries again');
    }
  }

  return {
    async run() {
      await store.oweDue((due, listeners) => planNotices(due, listeners, clock(), settingsUrl));
      sending ??= sendAll().finally(() => {
        sending = null;
      });
    },
    async close() {
      await sending;
    },
  };
}

async function sendNotice(notice: QueuedNotice, dependencies: TellHealthDependencies): Promise<void> {
  const { store, slots, openDestination, settings, clock, log } = dependencies;
  if (notice.isPaused || wantsQuiet(notice, clock())) {
    // It waited for its slot or was tried before; whoever listens hears of it.
    await store.settle(notice.id, { state: 'withdrawn', afterMs: 0, wasTried: false });
    return;
  }
  const { tenant, saved } = notice;
  // First: when it cannot be opened the space is left to others.
  const credentials = await openIfReadable(() => openDestination(tenant.id, saved.sealedCredentials));
  if (credentials === null) {
    log.error({ tenantId: tenant.id, chatWebhookId: saved.chatWebhookId }, 'the key of a destination cannot be opened');
    await slots.recordHealth(saved, healthWithoutKey(saved.health, settings));
    await store.settle(notice.id, { state: 'failed', afterMs: 0, wasTried: false });
    return;
  }
  const slot = await slots.reserveSlot(notice.spaceId, { intervalMs: settings.spaceIntervalMs, ...CUT_IN });
  if (slot.kind === 'busy') {
    await store.settle(notice.id, { state: 'queued', afterMs: slot.waitMs, wasTried: false });
    return;
  }
  if (slot.waitMs > 0) await delay(slot.waitMs);
  const startedAtMs = clock().getTime();
  const outcome = await tryPost(notice, credentials, dependencies);
  const attempt: TestAttempt = {
    ...{ lease: slot.lease, outcome, body: notice.body, intervalMs: settings.spaceIntervalMs },
    durationMs: Math.max(0, clock().getTime() - startedAtMs),
    health: healthAfter(saved.health, outcome, 0, settings),
  };
  const { areMessagesWaiting } = await slots.recordTest(notice, attempt);
  if (areMessagesWaiting) dependencies.onFreed(notice.spaceId);
  await store.settle(notice.id, endOf(attempt, notice.attempts));
  log.info({ tenantId: notice.tenant.id, noticeId: notice.id, outcome: outcome.kind }, 'notice attempted');
}

/** What cannot be posted is tried no more often than what does not get through, and its space is free again. */
async function tryPost(
  notice: QueuedNotice,
  credentials: ChatCredentials,
  { post, log }: TellHealthDependencies,
): Promise<DeliveryOutcome> {
  try {
    return await post(notice, credentials);
  } catch (error) {
    log.error({ err: error, tenantId: notice.tenant.id, noticeId: notice.id }, 'notice could not be posted');
  }
  return { kind: 'unreachable', httpStatus: null, reason: 'Dealbell could not post it.' };
}

function endOf(
  { outcome, health }: TestAttempt,
  attempts: number,
): { state: 'queued' | 'sent' | 'failed'; afterMs: number; wasTried: true } {
  if (outcome.kind === 'sent') return { state: 'sent', afterMs: 0, wasTried: true };
  const isOver = outcome.kind === 'rejected' || health?.state === 'broken' || attempts >= MAX_ATTEMPTS;
  return { state: isOver ? 'failed' : 'queued', afterMs: isOver ? 0 : backoffMs(attempts, 1), wasTried: true };
}

function wantsQuiet({ quietHours, timeZone }: Quiet, now: Date): boolean {
  return quietHours !== null && isQuiet(quietHours, timeZone, now);
}
