/** Compares the cards that a step was to bring with those that came: none missing, none extra, right space, order and words. Pure. */

import type { ChatMessage } from '../fakes/google-chat/chat-message';
import { blemishOf, wordsOf } from './card-words';

export interface ExpectedCard {
  /** Name of the space. */
  readonly space: string;
  /** All of these must stand on the card. */
  readonly says: readonly string[];
  /** None of these may. */
  readonly hides?: readonly string[];
  /** In the thread of an earlier card of the same space that says this. */
  readonly answers?: string;
}

/** An expected card; `says` parts its words by " · ". */
export function card(space: string, says: string, more: Pick<ExpectedCard, 'hides' | 'answers'> = {}): ExpectedCard {
  return { space, says: says.split(' · '), ...more };
}

export interface ArrivedCard {
  readonly space: string;
  readonly message: ChatMessage;
  readonly threadName: string;
}

/** One line per fault; empty when exactly the expected cards came. `earlier` are the cards before this step, for threads. */
export function compareCards(
  expected: readonly ExpectedCard[],
  arrived: readonly ArrivedCard[],
  { ids, earlier }: { readonly ids: ReadonlySet<number>; readonly earlier: readonly ArrivedCard[] },
): readonly string[] {
  const spaces = new Set([...expected, ...arrived].map((card) => card.space));
  return [...spaces].flatMap((space) => {
    const wanted = expected.filter((card) => card.space === space);
    const came = arrived.filter((card) => card.space === space);
    return Array.from({ length: Math.max(wanted.length, came.length) }, (_, index) => {
      const fault = faultOf(wanted[index], came[index], [...earlier, ...arrived], ids);
      return fault === null ? null : `${space}, card ${index + 1}: ${fault}`;
    }).filter((fault) => fault !== null);
  });
}

function faultOf(
  wanted: ExpectedCard | undefined,
  came: ArrivedCard | undefined,
  all: readonly ArrivedCard[],
  ids: ReadonlySet<number>,
): string | null {
  if (wanted === undefined) return came === undefined ? null : `not expected: ${headOf(came)}`;
  if (came === undefined) return `missing: a card that says ${wanted.says.join(' · ')}`;
  const lines = wordsOf(came.message);
  const missing = wanted.says.filter((words) => !lines.some((line) => line.includes(words)));
  if (missing.length > 0) return `does not say ${missing.join(' · ')}. It says: ${lines.join(' | ')}`;
  const extra = (wanted.hides ?? []).filter((words) => lines.some((line) => line.includes(words)));
  if (extra.length > 0) return `says ${extra.join(' · ')}. It says: ${lines.join(' | ')}`;
  return threadFault(wanted, came, all) ?? blemishOf(came.message, ids);
}

function threadFault({ answers }: ExpectedCard, came: ArrivedCard, all: readonly ArrivedCard[]): string | null {
  const thread = all.filter((card) => card.space === came.space && card.threadName === came.threadName && card !== came);
  if (answers === undefined) return null;
  const isThere = thread.some((card) => wordsOf(card.message).some((line) => line.includes(answers)));
  return isThere ? null : `is not in the thread of "${answers}": ${headOf(came)}`;
}

function headOf({ message }: ArrivedCard): string {
  return wordsOf(message)[0] ?? 'a message without words';
}
