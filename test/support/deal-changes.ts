/** A load of changes that never outruns its space: each deal changes again once people have seen what became of it a few changes before. */

import type { FakeGoogleChat } from '../fakes/google-chat/fake-google-chat';
import { titleOf, type Accepted } from '../soak/soak-tally';
import { visibleText } from './channel';
import type { Fleet, FleetSpace } from './fleet';
import { rawWebhook } from './raw-webhook';
import { waitUntil } from './wait-until';

/** Changes of a deal that may be on their way. */
const UNDER_WAY = 3;
const PATIENCE_MS = 60_000;

export interface DealChanges {
  readonly accepted: readonly Accepted[];
  /** Answers of the intake that were no 200, and posts that got none. */
  refusals(): number;
  /** One more deal per space, which changes at once. */
  addDeals(): void;
  /** No further change; resolves when each that was begun is accepted. */
  end(): Promise<void>;
}

/** Starts `dealsPerSpace` deals in each space. */
export function changeDeals(fleet: Fleet, chat: FakeGoogleChat, dealsPerSpace: number): DealChanges {
  const accepted: Accepted[] = [];
  let refusals = 0;
  let isOver = false;

  async function live(space: FleetSpace, deal: number): Promise<void> {
    for (let step = 1; !isOver; step += 1) {
      const change = { spaceId: space.spaceId, deal, step };
      const body = changeOfValue(space, change);
      // Sent again until it is accepted, as Pipedrive does.
      await waitUntil(`${titleOf(change)} is accepted`, async () => await isAccepted(body), PATIENCE_MS);
      accepted.push(change);
      await waitUntil(`step ${step - UNDER_WAY} is told`, () => isOver || isShown(change), PATIENCE_MS);
    }
  }

  async function isAccepted(body: unknown): Promise<boolean> {
    const status = await fleet.send(body);
    if (status !== 200) refusals += 1;
    return status === 200;
  }

  function isShown({ spaceId, deal, step }: Accepted): boolean {
    const awaited = step - UNDER_WAY;
    return awaited <= 0 || chat.messages(spaceId).some((message) => lastStepIn(visibleText(message), deal) >= awaited);
  }

  const lives: Promise<void>[] = [];
  let deals = 0;
  function addDeals(): void {
    for (const space of fleet.spaces) {
      const whole = live(space, space.pipelineId * 100 + deals);
      // Heard of at the end; until then a failure must not end the run as unhandled.
      whole.catch(() => undefined);
      lives.push(whole);
    }
    deals += 1;
  }

  for (let deal = 0; deal < dealsPerSpace; deal += 1) addDeals();
  return {
    ...{ accepted, addDeals },
    refusals: () => refusals,
    async end() {
      isOver = true;
      await Promise.all(lives);
    },
  };
}

function changeOfValue({ pipelineId }: FleetSpace, change: Accepted): unknown {
  const { deal, step } = change;
  const data = {
    ...{ id: deal, title: titleOf(change), value: step, currency: 'EUR' },
    ...{ status: 'open', pipeline_id: pipelineId },
  };
  return rawWebhook('deal', 'change', deal, { data, previous: { value: step - 1 } });
}

function lastStepIn(text: string, deal: number): number {
  return Math.max(0, ...[...text.matchAll(new RegExp(`Deal ${deal} step (\\d+)\\.`, 'g'))].map(([, step]) => Number(step)));
}
