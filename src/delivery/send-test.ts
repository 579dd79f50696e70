/**
 * Sends a sample message at once and records the attempt: not past the space's quota, and past messages that wait there only now and
 * then, because whoever knows the id of a space can send tests to it.
 */

import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { DeliveryOutcome } from '../core/delivery';
import type { TemplateMode } from '../core/rule';
import type { TenantId, TenantProfile } from '../core/tenant';
import type { EventType, RecordChange } from '../core/transition';
import type { Names } from '../messages/names';
import { renderMessage } from '../messages/render-message';
import { sampleNames, sampleSubject } from '../messages/sample-subject';
import { openIfReadable, type ChatCredentials, type OpenDestination } from './open-destination';
import {
  healthAfter,
  healthWithoutKey,
  KEY_LOST_REASON,
  type Health,
  type HealthChange,
  type HealthSettings,
} from './space-health';

/** Where and as what a sample goes. */
export interface TestRecipient {
  readonly tenant: TenantProfile;
  /** Null: no destination yet, a URL that is tried before it is saved. */
  readonly saved: SavedDestination | null;
  readonly spaceId: string;
  readonly locale: string | null;
  readonly timeZone: string | null;
  readonly ruleId: number | null;
  readonly eventType: EventType;
  readonly mode: TemplateMode;
  readonly template: string | null;
}

/** A rule that nobody saved yet, and what it tells as an example; null: a made-up one. */
export interface DraftTest {
  readonly draft: Pick<TestRecipient, 'eventType' | 'mode' | 'template'> & { readonly chatWebhookIds: readonly number[] };
  readonly real: RealExample | null;
}

/** Something that happened, with the names that it needs. */
export interface RealExample {
  readonly change: RecordChange;
  readonly names: Names;
}

export type TestTarget = { readonly tenantId: TenantId } & (
  { readonly ruleId: number } | { readonly chatWebhookId: number } | DraftTest
);

export interface TestResult {
  readonly status: 'success' | 'failure';
  readonly httpStatus: number | null;
  readonly errorMessage?: string;
}

export interface SavedDestination {
  readonly chatWebhookId: number;
  readonly sealedCredentials: string;
  readonly health: Health;
}

/** A recipient that is saved. */
export type SavedRecipient = TestRecipient & { readonly saved: SavedDestination };

/** What of a recipient the record needs. */
type Recorded = Pick<TestRecipient, 'spaceId' | 'ruleId' | 'saved'> & { readonly tenant: { readonly id: TenantId } };

export type RecipientsWanted = { readonly tenantId: TenantId } & (
  { readonly ruleId: number } | { readonly chatWebhookIds: readonly number[] }
);

export interface TestStore {
  /** Recipients of a rule (one per destination), or the destinations themselves; empty when there is none. */
  findRecipients(target: RecipientsWanted): Promise<readonly SavedRecipient[]>;
  /** Takes the space's write slot, when it is free and no message wants it; else the next one, when it may cut in. */
  reserveSlot(spaceId: string, wish: SlotWish): Promise<Reservation>;
  /**
   * The attempt is over: the next write is an interval away. A success heals the destination and lets go what it holds, a
   * refusal counts as any other. What took longer than its lease leaves that of whoever has the space by then. Says whether
   * messages are owed there: who sends them took the space for taken.
   */
  recordTest(recipient: Recorded, attempt: TestAttempt): Promise<{ readonly areMessagesWaiting: boolean }>;
  /** What became of a destination to which nothing could be posted; nothing when it has another URL by now. */
  recordHealth(saved: SavedDestination, health: HealthChange): Promise<void>;
}

/** What cuts in has the next slot, when that comes in `withinMs`, ahead of messages and others: once in `cutInEveryMs` per space, whoever asks. */
export interface SlotWish {
  readonly intervalMs: number;
  readonly cutInEveryMs: number;
  readonly withinMs: number;
}

/** `waitMs`: until the slot that was taken comes. */
export type Reservation = { readonly kind: 'taken'; readonly lease: string; readonly waitMs: number } | BusySpace;

export interface BusySpace {
  readonly kind: 'busy';
  /** Until the slot may be free. */
  readonly waitMs: number;
  /** Until anything may be written at all: more than an interval when what went there last did not get through. */
  readonly restMs: number;
  /** Google Chat has asked for it. */
  readonly isThrottled: boolean;
}

export interface TestAttempt {
  /** Of its space, under which it was posted. */
  readonly lease: string;
  readonly outcome: DeliveryOutcome;
  readonly body: string;
  readonly durationMs: number;
  readonly intervalMs: number;
  readonly health: HealthChange | null;
}

export interface SendTestDependencies {
  readonly store: TestStore;
  readonly openDestination: OpenDestination;
  readonly post: (
    recipient: TestRecipient,
    credentials: ChatCredentials,
    requestId: string,
    body: string,
  ) => Promise<DeliveryOutcome>;
  readonly settings: HealthSettings & { readonly spaceIntervalMs: number };
  /** A destination works again: its messages may go. */
  readonly onHealed: () => void;
  /** The space is free again, and messages wait there. */
  readonly onFreed: (spaceId: string) => void;
  readonly clock: () => Date;
}

/** A person waits for the answer: this long for a free slot, then it says that the space is busy. */
const SLOT_PATIENCE_MS = 5_000;
/** While messages wait in a space, its tests have one slot in so long, and those that Chat will most likely refuse again one in a minute. */
const CUT_IN_EVERY_MS = 10_000;
const REFUSED_CUT_IN_EVERY_MS = 60_000;

/** Makes the use case; it never throws because of Google Chat. A rule with several destinations is tried on each; the first failure counts. */
export function makeSendTest(dependencies: SendTestDependencies): (target: TestTarget) => Promise<TestResult> {
  return async (target) => {
    const recipients = await recipientsOf(target, dependencies.store);
    const real = 'draft' in target ? target.real : null;
    if (recipients.length === 0)
      return { status: 'failure', httpStatus: null, errorMessage: 'There is no destination to send to.' };
    const results: TestResult[] = [];
    for (const recipient of recipients) {
      const credentials = () => dependencies.openDestination(recipient.tenant.id, recipient.saved.sealedCredentials);
      results.push(await sendOne(recipient, real, credentials, dependencies));
    }
    return results.find((result) => result.status === 'failure') ?? results[0] ?? { status: 'failure', httpStatus: null };
  };
}

async function recipientsOf(target: TestTarget, store: TestStore): Promise<readonly SavedRecipient[]> {
  const { tenantId } = target;
  if ('ruleId' in target) return await store.findRecipients({ tenantId, ruleId: target.ruleId });
  if ('chatWebhookId' in target) return await store.findRecipients({ tenantId, chatWebhookIds: [target.chatWebhookId] });
  const { chatWebhookIds, ...draft } = target.draft;
  return (await store.findRecipients({ tenantId, chatWebhookIds })).map((recipient) => ({ ...recipient, ...draft }));
}

/** The parts of a Chat webhook URL that nobody saved yet. */
export interface UntriedUrl extends ChatCredentials {
  readonly spaceId: string;
}

export type TryUrl = (tenant: TenantProfile, url: UntriedUrl) => Promise<TestResult>;

/** Makes the use case of trying a URL before it is saved: the sample of a won deal, and as `makeSendTest`. */
export function makeTryUrl(dependencies: SendTestDependencies): TryUrl {
  return async (tenant, { spaceId, ...credentials }) => {
    const sample = { eventType: 'deal.won', mode: 'compact', template: null, ruleId: null } as const;
    const recipient = { ...sample, tenant, spaceId, saved: null, locale: null, timeZone: null };
    return await sendOne(recipient, null, () => Promise.resolve(credentials), dependencies);
  };
}

async function sendOne(
  recipient: TestRecipient,
  real: RealExample | null,
  openCredentials: () => Promise<ChatCredentials>,
  dependencies: SendTestDependencies,
): Promise<TestResult> {
  const { store, clock, settings } = dependencies;
  // First: when they cannot be opened the space is left to others.
  const credentials = await openIfReadable(openCredentials);
  if (credentials === null) {
    if (recipient.saved !== null) await store.recordHealth(recipient.saved, healthWithoutKey(recipient.saved.health, settings));
    return { status: 'failure', httpStatus: null, errorMessage: KEY_LOST_REASON };
  }
  const slot = await waitForSlot(recipient, dependencies);
  if (slot.kind === 'busy') return { status: 'failure', httpStatus: null, errorMessage: busyWords(slot, settings) };
  const { lease } = slot;
  const { tenant, eventType, mode, template, locale, timeZone } = recipient;
  const sample = sampleSubject(tenant, eventType, mode, template, clock());
  const subject = {
    ...sample,
    change: real?.change ?? sample.change,
    destination: { locale, timeZone, threads: 'off' as const },
  };
  const body = JSON.stringify(renderMessage(subject, real?.names ?? sampleNames()));
  const startedAtMs = clock().getTime();
  const outcome = await dependencies.post(recipient, credentials, randomUUID(), body);
  const health = recipient.saved === null ? null : healthAfter(recipient.saved.health, outcome, 0, settings);
  const { areMessagesWaiting } = await store.recordTest(recipient, {
    ...{ lease, outcome, body, health, intervalMs: settings.spaceIntervalMs },
    durationMs: Math.max(0, clock().getTime() - startedAtMs),
  });
  if (areMessagesWaiting) dependencies.onFreed(recipient.spaceId);
  if (health?.isHealed === true) dependencies.onHealed();
  return outcome.kind === 'sent'
    ? { status: 'success', httpStatus: outcome.httpStatus }
    : { status: 'failure', httpStatus: outcome.httpStatus, errorMessage: outcome.reason };
}

/** Gives the lease of the space, once its slot is there, or how it stands with one that stays busy. */
async function waitForSlot(
  { spaceId, saved }: TestRecipient,
  { store, clock, settings }: SendTestDependencies,
): Promise<Reservation> {
  const cutInEveryMs = saved !== null && saved.health.refusals > 0 ? REFUSED_CUT_IN_EVERY_MS : CUT_IN_EVERY_MS;
  let withinMs = SLOT_PATIENCE_MS;
  const endsAtMs = clock().getTime() + withinMs;
  for (;;) {
    const slot = await store.reserveSlot(spaceId, { intervalMs: settings.spaceIntervalMs, cutInEveryMs, withinMs });
    withinMs = endsAtMs - clock().getTime();
    if (slot.kind === 'busy' && slot.waitMs > withinMs) return slot;
    if (slot.waitMs > 0) await delay(slot.waitMs);
    if (slot.kind === 'taken') return slot;
  }
}

function busyWords({ restMs, isThrottled }: BusySpace, { spaceIntervalMs }: { readonly spaceIntervalMs: number }): string {
  if (restMs <= spaceIntervalMs) return 'The space is busy with other messages: Google Chat takes one a second. Try again.';
  const why = isThrottled
    ? 'Google Chat has asked Dealbell to wait before it writes to this space again'
    : 'Google Chat did not take what was last sent to this space, so that Dealbell waits before it tries again';
  return `${why}. Try again in about ${aboutWords(restMs)}.`;
}

/** "40 seconds", "3 minutes"; not too short, so that what is tried then goes. */
function aboutWords(ms: number): string {
  const seconds = Math.ceil(ms / 1000);
  if (seconds > 90) return `${Math.ceil(seconds / 60)} minutes`;
  return seconds === 1 ? '1 second' : `${seconds} seconds`;
}
