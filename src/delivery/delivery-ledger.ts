/** Deliveries as the sender reads and writes them in the ledger. Types only. */

import type { FoldKind, HoldCause } from '../core/delivery';
import type { FoldPolicy, QuietHours, ThreadPolicy } from '../core/destination';
import type { Digest, TemplateMode } from '../core/rule';
import type { TenantId, TenantProfile } from '../core/tenant';
import type { RecordChange } from '../core/transition';
import type { HealthChange, KnownHealth } from './space-health';

export interface ClaimedDelivery {
  readonly id: number;
  /** Of its row, as it was claimed: a row that has another one by now was changed. */
  readonly version: string;
  readonly eventId: number;
  readonly ruleId: number;
  /** Its own destination. */
  readonly chatWebhookId: number;
  /** The fallback destination that it goes to instead; null: to its own. */
  readonly viaWebhookId: number | null;
  /** Its own destination's name, when it goes to another. */
  readonly meantFor: string | null;
  readonly spaceId: string;
  /** Of its space, as it was written: a space that has another one by now was given up or is somebody else's. */
  readonly lease: string;
  /** Troubles of the space in a row. */
  readonly troubles: number;
  /** Attempts begun, this one counted. */
  readonly attempts: number;
  readonly ageMs: number;
  /** Since what it tells came to Dealbell (came-at.store.ts); where neither quiet hours nor a digest ask for that, since it was owed. */
  readonly cameMs: number;
  /** Since the first attempt, but for what quiet hours kept it; 0 at the first. */
  readonly waitingMs: number;
  /** Attempts that came to no clear answer, or whose process never told of one: it may have been posted. */
  readonly uncertain: number;
  /** It is tried although its destination is broken: if it goes, the destination works again. */
  readonly isProbe: boolean;
  /** An earlier message about its record waits for a time in its destination, or did so until somebody changed that. */
  readonly isHeldBefore: boolean;
  readonly requestId: string;
  /** Null until it is frozen. */
  readonly renderedBody: string | null;
  readonly isPlain: boolean;
  /** Chat rejected it with a thread. */
  readonly isUnthreaded: boolean;
  readonly mode: TemplateMode;
  readonly template: string | null;
  /** Its message tells others too; null: itself alone. */
  readonly foldKind: FoldKind | null;
  /** When the time had come that it waited for; null: it never waited for one. */
  readonly releasedAt: Date | null;
  /** Its rule, or that of one that its message tells too, goes through quiet hours. */
  readonly isUrgent: boolean;
  readonly isReplay: boolean;
  /** When its rule's messages are gathered and told; null: at once. */
  readonly digest: Digest | null;
  readonly change: RecordChange;
  readonly tenant: TenantProfile;
  /** Of its tenant's rules, destinations and zone as they were claimed with it: each change of them raises it. */
  readonly settingsVersion: number;
  /** Nobody of its company has Dealbell any more. */
  readonly isUninstalled: boolean;
  /** Null: the destination was removed. */
  readonly destination: ClaimedDestination | null;
}

export interface ClaimedDestination {
  readonly sealedCredentials: string;
  readonly threads: ThreadPolicy;
  readonly locale: string | null;
  readonly timeZone: string | null;
  readonly fold: FoldPolicy;
  readonly foldThreshold: number | null;
  readonly quietHours: QuietHours | null;
  /** What waits for longer is given up. */
  readonly holdHours: number;
  readonly isPaused: boolean;
  readonly health: KnownHealth;
  readonly healthReason: string | null;
  readonly refusals: number;
  readonly sinceLastRefusalMs: number | null;
  /** Since somebody set it as it is; below 0: that is not known, because the clock was wrong. */
  readonly sinceChangeMs: number;
  readonly probes: number;
}

/** What the ledger has to know after a delivery was worked on. */
export interface AttemptRecord {
  readonly delivery: ClaimedDelivery;
  readonly state: 'queued' | 'sent' | 'held' | 'dropped' | 'failed';
  readonly stateReason: string | null;
  readonly heldBecause: HoldCause | null;
  readonly messageName: string | null;
  readonly threadName: string | null;
  /** Another body, under another request id, is to be made. */
  readonly rewrite: 'unthreaded' | 'plain' | null;
  /** When the space may be written to again, counted from the moment of recording; null: nothing was written. */
  readonly slotAfterMs: number | null;
  readonly hasTrouble: boolean;
  /** Chat's answer says whether it was posted: what came of the attempt is known. */
  readonly isAnswered: boolean;
  /** No body could be made: an attempt that was not begun before it is recorded. */
  readonly isUnprepared: boolean;
  /** That took longer than a lease: it is recorded if the message is still as it was claimed, whoever has its space by now. */
  readonly isSlow: boolean;
  /** The log row; null when nothing was posted. */
  readonly wrote: {
    readonly httpStatus: number | null;
    readonly errorMessage: string | null;
    readonly durationMs: number;
  } | null;
  readonly health: HealthChange | null;
  /** The space takes cards, but no threads. */
  readonly cannotThread: boolean;
  /** Every message of the destination that is due is held with this one. */
  readonly holdAll: boolean;
  /** Every message of the company that is due in the space is dropped with this one: it has uninstalled. */
  readonly dropAll: boolean;
  /** Every queued message of the destination waits this long. */
  readonly delayAllMs: number | null;
  /** This message waits this long, others may go. */
  readonly delayMs: number | null;
}

/** What is about to be posted: a new body, or the one that was frozen at an earlier attempt. */
export interface FrozenBody {
  readonly delivery: ClaimedDelivery;
  readonly body: string;
}

/** A message that the ledger holds in a shape that is not known. */
export interface UnreadableDelivery {
  readonly id: number;
  readonly tenantId: TenantId;
  readonly error: unknown;
}

export interface DeliveryStore {
  /**
   * Takes the due head of up to `limit` free spaces. What is `unreadable` stands aside and is tried again. `nextMs`: until another space is
   * ready; null when nothing waits.
   */
  claimDue(limit: number): Promise<{
    readonly claimed: readonly ClaimedDelivery[];
    readonly unreadable: readonly UnreadableDelivery[];
    readonly nextMs: number | null;
  }>;
  /** Begins attempts. False for a delivery that was changed since it was claimed: it must not be posted. */
  freeze(bodies: readonly FrozenBody[]): Promise<readonly boolean[]>;
  /** Takes its space anew, and gives the lease of that; null when it had lost it: then the attempt that was begun is taken back. */
  renew(delivery: ClaimedDelivery, lease: string): Promise<string | null>;
  /** Gives its space back, in which nothing was tried; one that was lost stays with whoever has it. */
  release(delivery: ClaimedDelivery): Promise<void>;
  record(attempts: readonly AttemptRecord[]): Promise<void>;
  /** Gives up all leases: for the start of an installation that is alone on its database. */
  dropLeases(): Promise<void>;
}
