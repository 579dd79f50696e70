/** The report of a reconciliation in figures and in one sentence. Pure. */

import type { EventType } from '../core/transition';

/** What became of something that Pipedrive's list says has happened. */
export const OUTCOMES = [
  /** A message of it was sent. */
  'told',
  /** A message of it is on its way or held. */
  'waiting',
  /** No rule tells of it. */
  'silent',
  /** Found so late that it was only recorded. */
  'tooOld',
  /** Its message was left out as the team wants it: by quiet hours, a mute, because its rule or space was removed, or what it told was undone at once. */
  'leftOut',
  /** Its message was given up, against the team's wish. */
  'failed',
  /** The ledger has nothing of it yet: its webhook may be on its way, else the next run tells it. */
  'comparing',
  /** The ledger has nothing of it. */
  'missing',
] as const;
export type Outcome = (typeof OUTCOMES)[number];

export interface CountRow {
  readonly type: EventType;
  readonly outcome: Outcome;
  /** Not a webhook but the reconciliation brought it. */
  readonly isLate: boolean;
  readonly count: number;
}

/** Of one event type: how many Pipedrive has, and what became of them. `late` are those of the told that the reconciliation found. */
export type Figures = Readonly<Record<Outcome | 'inPipedrive' | 'late', number>>;

const ALWAYS = ['deal.won', 'deal.lost', 'deal.created'] as const;
const WORDS: Readonly<Record<(typeof ALWAYS)[number], string>> = {
  'deal.won': 'won',
  'deal.lost': 'lost',
  'deal.created': 'created',
};

/** Figures by event type; deals won, lost and created are always there. */
export function figuresOf(rows: readonly CountRow[]): Readonly<Record<string, Figures>> {
  const types = new Set<EventType>([...ALWAYS, ...rows.map(({ type }) => type)]);
  return Object.fromEntries([...types].map((type) => [type, figures(rows.filter((row) => row.type === type))]));
}

function figures(rows: readonly CountRow[]): Figures {
  const sum = (isCounted: (row: CountRow) => boolean): number =>
    rows.filter(isCounted).reduce((total, { count }) => total + count, 0);
  const by = (outcome: Outcome): number => sum((row) => row.outcome === outcome);
  return {
    inPipedrive: sum(() => true),
    late: sum(({ outcome, isLate }) => outcome === 'told' && isLate),
    ...{ told: by('told'), waiting: by('waiting'), silent: by('silent'), tooOld: by('tooOld') },
    ...{ leftOut: by('leftOut'), failed: by('failed'), comparing: by('comparing'), missing: by('missing') },
  };
}

/** "128 won, 128 told, 3 late; 12 lost, 0 told, 12 that no rule tells; 40 created, 39 told, 1 missing." */
export function sentenceOf(byType: Readonly<Record<string, Figures>>): string {
  const parts = ALWAYS.flatMap((type) => {
    const of = byType[type];
    return of === undefined || (of.inPipedrive === 0 && type !== 'deal.won') ? [] : [partOf(WORDS[type], of)];
  });
  return `${parts.join('; ')}.`;
}

function partOf(word: string, of: Figures): string {
  const more = [
    [of.waiting, 'on the way'],
    [of.silent, 'that no rule tells'],
    [of.tooOld, 'found too late to be news'],
    [of.leftOut, 'left out on purpose'],
    [of.failed, 'given up'],
    [of.comparing, 'being compared'],
    [of.missing, 'missing'],
  ] as const;
  const rest = more.filter(([count]) => count > 0).map(([count, words]) => `, ${count} ${words}`);
  return `${of.inPipedrive} ${word}, ${of.told} told${of.late > 0 ? `, ${of.late} late` : ''}${rest.join('')}`;
}
