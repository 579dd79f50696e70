/** Plays the demo's steps one after the other: does something, waits until nothing is owed any more, compares what came. */

import { setTimeout as pause } from 'node:timers/promises';
import type { PostedMessage } from '../fakes/google-chat/chat-ledger';
import type { World } from '../support/world';
import { compareCards, type ArrivedCard, type ExpectedCard } from './compare-cards';
import type { SandboxApi } from './sandbox-api';

export interface Step {
  readonly title: string;
  readonly act: () => Promise<void> | void;
  readonly cards: readonly ExpectedCard[];
  /** Further claims about the step, once it is over; one line per fault. */
  readonly alsoHolds?: () => readonly string[];
  /** Waiting is the story here: its cards say nothing about how fast Dealbell is. */
  readonly isSlow?: boolean;
}

export interface CameCard {
  readonly space: string;
  readonly words: string;
  readonly afterMs: number;
}

export interface StepResult {
  readonly step: Step;
  readonly came: readonly CameCard[];
  readonly faults: readonly string[];
  readonly tookMs: number;
}

const STEP_LIMIT_MS = 40_000;
const LOOK_EVERY_MS = 60;

export interface Stage {
  play(step: Step): Promise<StepResult>;
}

/** `apis`: one per tenant. `ids` must not stand on cards. */
export function makeStage(needs: {
  readonly world: World;
  readonly apis: readonly SandboxApi[];
  readonly ids: () => ReadonlySet<number>;
  readonly settleMs: number;
  /** When the whole demo must be over, in milliseconds since 1970. */
  readonly endsAtMs: number;
  readonly interrupt: AbortSignal;
}): Stage {
  const { world } = needs;
  const spaceNames = new Map(world.chat.spaces().map(({ id, name }) => [id, name]));
  const arrivedCard = ({ spaceId, message, threadName }: PostedMessage): ArrivedCard => ({
    ...{ space: spaceNames.get(spaceId) ?? spaceId, message, threadName },
  });

  return {
    async play(step) {
      const before = world.chat.messages();
      const startedAtMs = Date.now();
      const trouble = await perform(step, needs, startedAtMs);
      const fresh = world.chat.messages().slice(before.length);
      const arrived = fresh.map(arrivedCard);
      const differences = compareCards(step.cards, arrived, { ids: needs.ids(), earlier: before.map(arrivedCard) });
      return {
        step,
        came: fresh.map((posted) => cameCard(posted, arrivedCard(posted).space, startedAtMs)),
        faults: [...trouble, ...differences, ...(step.alsoHolds?.() ?? [])],
        tookMs: Date.now() - startedAtMs,
      };
    },
  };
}

async function perform(step: Step, needs: Parameters<typeof makeStage>[0], startedAtMs: number): Promise<readonly string[]> {
  const { world, apis, settleMs, endsAtMs, interrupt } = needs;
  const limitMs = Math.min(startedAtMs + STEP_LIMIT_MS, endsAtMs) - startedAtMs;
  if (limitMs <= 0) return ['not played: the time for the whole day was over'];
  await step.act();
  await world.pipedrive.idle();
  // Silence is proven, and the next change told by itself, only when the settle window has passed.
  if (step.cards.length === 0) await pause(settleMs);
  while (Date.now() - startedAtMs < limitMs && !interrupt.aborted) {
    if ((await Promise.all(apis.map((api) => api.isQuiet()))).every(Boolean)) return [];
    await pause(LOOK_EVERY_MS);
  }
  return [`after ${limitMs} ms Dealbell still had something to do`];
}

function cameCard({ createdAt, fallbackText }: PostedMessage, space: string, startedAtMs: number): CameCard {
  return { space, words: fallbackText ?? 'a message without a notification line', afterMs: createdAt - startedAtMs };
}
