/** The figures of a run: gathered by the parts, printed as a table, written as JSON. */

import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { projectRoot } from '../../prisma/migrations-folder';
import { spreadOf } from './statistics';

export interface Figure {
  readonly part: string;
  readonly name: string;
  readonly unit: string;
  readonly median: number;
  readonly min: number;
  readonly max: number;
  /** What it should be, in words; absent when it is only for comparison. */
  readonly aim?: string;
}

/** A figure of one or several rounds. */
export function figure(part: string, name: string, unit: string, rounds: readonly number[], aim?: string): Figure {
  return { part, name, unit, ...spreadOf(rounds), ...(aim === undefined ? {} : { aim }) };
}

/** Prints a part's figures under one heading. */
export function printFigures(figures: readonly Figure[]): void {
  const rows = figures.map((item) => [
    item.part,
    item.name,
    `${shown(item.median)} ${item.unit}`,
    item.min === item.max ? '' : `${shown(item.min)} to ${shown(item.max)}`,
    item.aim ?? '',
  ]);
  const table = [['part', 'figure', 'median', 'rounds', 'aim'], ...rows];
  const widths = [0, 1, 2, 3, 4].map((column) => Math.max(...table.map((row) => row[column]?.length ?? 0)));
  for (const row of table)
    console.log(
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    );
}

/** Writes `results/<time>.json` beside the benchmark's sources; returns the path. */
export function writeFigures(figures: readonly Figure[], options: object): string {
  const folder = join(projectRoot(), 'test', 'bench', 'results');
  mkdirSync(folder, { recursive: true });
  const takenAt = new Date().toISOString();
  const path = join(folder, `${takenAt.replace(/[:.]/g, '-')}.json`);
  const machine = { cores: cpus().length, model: cpus()[0]?.model ?? 'unknown', node: process.version };
  writeFileSync(path, `${JSON.stringify({ takenAt, machine, options, figures }, null, 2)}\n`);
  return path;
}

function shown(value: number): string {
  return Math.abs(value) >= 100 ? Math.round(value).toLocaleString('en') : value.toFixed(Math.abs(value) >= 10 ? 1 : 2);
}
