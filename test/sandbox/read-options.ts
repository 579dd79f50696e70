/** Reads the command line of `npm run sandbox`. Pure; wrong flags come back as a problem in words. */

import { parseArgs } from 'node:util';

export interface SandboxOptions {
  /** Nothing is installed and no rule exists: the newcomer does it. */
  readonly isBare: boolean;
  /** Dealbell goes on with the data of the last sandbox. */
  readonly isKept: boolean;
  readonly settleMs: number;
}

export type Choice =
  | { readonly kind: 'run'; readonly options: SandboxOptions }
  | { readonly kind: 'demo' }
  | { readonly kind: 'help' }
  | { readonly kind: 'problem'; readonly reason: string };

const DEFAULT_SETTLE_MS = 1500;
const LONGEST_SETTLE_MS = 120_000;

const FLAGS = {
  demo: { type: 'boolean' },
  bare: { type: 'boolean' },
  keep: { type: 'boolean' },
  reset: { type: 'boolean' },
  'settle-ms': { type: 'string' },
  help: { type: 'boolean', short: 'h' },
} as const;

export const HELP = `Dealbell between a stand-in Pipedrive and a stand-in Google Chat, on this machine alone.

  npm run sandbox                      everything installed, two spaces and some rules ready: click in the CRM, see cards
  npm run sandbox -- --bare            nothing installed: begin at Pipedrive's consent page, as a customer does
  npm run sandbox -- --demo            plays a day by itself; exits 0 only if exactly the expected cards arrived

  --keep            go on with the destinations, rules and history of the last sandbox. Without it (or with --reset)
                    each start begins empty: the stand-ins keep their deals and spaces in memory and forget them at the end
  --settle-ms N     how long Dealbell waits for later edits of the same record before it tells (0 to ${LONGEST_SETTLE_MS}; ${DEFAULT_SETTLE_MS})
  --help            this page

Environment: DATA_DIR (folder of the embedded PostgreSQL; .data/sandbox), LOG_LEVEL (of Dealbell; warn). Nothing else is read:
no client id or secret is needed, and DATABASE_URL and REDIS_URL are left alone.
`;

/** `args` as they come after `npm run sandbox --`. */
export function readOptions(args: readonly string[]): Choice {
  const parsed = parse(args);
  if (parsed.kind === 'problem') return parsed;
  const { demo = false, bare = false, keep = false, reset = false, help = false, 'settle-ms': settle } = parsed.values;
  if (help) return { kind: 'help' };
  if (keep && reset) return problem('--keep and --reset exclude each other.');
  if (demo) {
    const others = Object.keys(parsed.values).filter((name) => name !== 'demo');
    return others.length === 0 ? { kind: 'demo' } : problem(`--demo goes alone, without --${others.join(', --')}.`);
  }
  const settleMs = settle === undefined ? DEFAULT_SETTLE_MS : wholeNumber(settle);
  if (settleMs === null) return problem(`--settle-ms takes a whole number from 0 to ${LONGEST_SETTLE_MS}.`);
  return { kind: 'run', options: { isBare: bare, isKept: keep, settleMs } };
}

function parse(args: readonly string[]) {
  try {
    const { values } = parseArgs({ args: [...args], options: FLAGS, strict: true, allowPositionals: false });
    return { kind: 'values', values } as const;
  } catch (error) {
    // Node's own sentence names the flag; what follows its first full stop is advice for programmers.
    return problem(`${(error instanceof Error ? error.message : String(error)).split('. ')[0] ?? ''}.`.replace('..', '.'));
  }
}

function wholeNumber(text: string): number | null {
  return /^\d{1,6}$/.test(text) && Number(text) <= LONGEST_SETTLE_MS ? Number(text) : null;
}

function problem(reason: string) {
  return { kind: 'problem', reason } as const;
}
