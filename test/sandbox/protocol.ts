/** The demo's words: one protocol line per step and card, and the tally at the end. Pure. */

import type { StepResult } from './demo-stage';

const WIDTH = 100;

export function stepLines(result: StepResult, number: number): string {
  const { step, came, faults } = result;
  const cards = came.map(({ space, words, afterMs }) => `        ${space.padEnd(12)} ${cutTo(words)}  (${afterMs} ms)`);
  const silence = came.length === 0 && faults.length === 0 ? ['        no card, as it should be'] : [];
  const wrong = faults.map((fault) => `     ✗  ${fault}`);
  const head = `  ${String(number).padStart(2)} ${faults.length === 0 ? '✓' : '✗'}  ${step.title}`;
  return `${[head, ...cards, ...silence, ...wrong].join('\n')}\n`;
}

export function tallyLines(results: readonly StepResult[], settleMs: number, tookMs: number): string {
  const sum = (count: (result: StepResult) => number) => results.reduce((total, result) => total + count(result), 0);
  const faulty = results.filter((result) => result.faults.length > 0);
  const latencies = results.filter(({ step }) => step.isSlow !== true).flatMap(({ came }) => came.map((card) => card.afterMs));
  const sorted = latencies.sort((left, right) => left - right);
  const median = sorted[Math.floor(sorted.length / 2)] ?? 0;
  const lines = [
    '',
    `  ${results.length} steps in ${(tookMs / 1000).toFixed(1)} s, ${sum(({ came }) => came.length)} cards came, ${sum(({ step }) => step.cards.length)} were expected.`,
    `  From the change to the card: median ${median} ms, slowest ${sorted.at(-1) ?? 0} ms, of which Dealbell waited ${settleMs} ms for corrections`,
    '  (burst and outage not counted; a space takes one message a second).',
    faulty.length === 0
      ? '  Exactly the expected cards arrived.'
      : `  WRONG in ${faulty.length} of ${results.length} steps: ${faulty.map(({ step }) => step.title).join('; ')}`,
    '',
  ];
  return `${lines.join('\n')}\n`;
}

function cutTo(words: string): string {
  return words.length <= WIDTH ? words : `${words.slice(0, WIDTH - 1)}…`;
}
