/** The plans by which PostgreSQL really ran the statements of a database, out of its own log: nothing has to be known of the statements. */

import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Client } from 'pg';
import { z } from 'zod';

export interface ExecutedPlan {
  readonly statement: string;
  readonly nodes: readonly PlanNode[];
}

/** A step of a plan, with what it really did. */
export interface PlanNode {
  readonly type: string;
  readonly relation: string | null;
  /** Over all its loops, what its filter threw away counted. */
  readonly rowsRead: number;
}

export interface PlanLog {
  /** Of all statements that ended since the last call. */
  take(): readonly ExecutedPlan[];
}

/** The log is one of the whole server: each line of it says of which database it is. */
export const LOG_LINE_PREFIX = '%m [%p] %d ';

const rawNode = z.object({
  'Node Type': z.string(),
  'Relation Name': z.string().optional(),
  'Actual Rows': z.number(),
  'Actual Loops': z.number(),
  'Rows Removed by Filter': z.number().optional(),
  'Rows Removed by Index Recheck': z.number().optional(),
  Plans: z.array(z.unknown()).optional(),
});
const rawPlan = z.object({ 'Query Text': z.string(), Plan: z.unknown() });
const SETTINGS = {
  session_preload_libraries: 'auto_explain',
  'auto_explain.log_min_duration': '0',
  'auto_explain.log_analyze': 'on',
  'auto_explain.log_timing': 'off',
  'auto_explain.log_format': 'json',
  'auto_explain.log_parameter_max_length': '0',
};

/** Sessions opened from now on log their plans. Null where the server's log cannot be read: it is not ours. */
export async function logPlans(connectionString: string): Promise<PlanLog | null> {
  const database = new URL(connectionString).pathname.slice(1);
  const client = new Client({ connectionString });
  await client.connect();
  let logFile: string;
  try {
    const { rows } = await client.query<{ folder: string; prefix: string }>(
      `SELECT current_setting('data_directory') AS folder, current_setting('log_line_prefix') AS prefix`,
    );
    logFile = join(dirname(rows[0]?.folder ?? ''), 'postgres.log');
    if (!existsSync(logFile)) return null;
    if (rows[0]?.prefix !== LOG_LINE_PREFIX) throw new Error(`the lines of ${logFile} do not say of which database they are`);
    for (const [name, value] of Object.entries(SETTINGS))
      await client.query(`ALTER DATABASE ${database} SET ${name} = '${value}'`);
  } finally {
    await client.end();
  }
  let offset = statSync(logFile).size;
  return {
    take() {
      const said = readFileSync(logFile).subarray(offset).toString('utf8');
      const entries = [...said.matchAll(ENTRY)];
      const last = entries.at(-1);
      // What follows may be a part of an entry that is just being written.
      if (last !== undefined) offset += Buffer.byteLength(said.slice(0, last.index + last[0].length));
      return entries.flatMap(([, of, text = '']) => (of === database ? [planIn(text)] : []));
    },
  };
}

/** A line that ends in "plan:", and then the plan, each line of it begun by a tab. */
const ENTRY = /\] (\S*) LOG: {2}duration: [\d.]+ ms {2}plan:\n((?:\t.*\n)*?\t\}\n)/g;

function planIn(text: string): ExecutedPlan {
  const { 'Query Text': statement, Plan } = rawPlan.parse(JSON.parse(text));
  return { statement, nodes: nodesOf(Plan) };
}

function nodesOf(raw: unknown): readonly PlanNode[] {
  const node = rawNode.parse(raw);
  const perLoop = node['Actual Rows'] + (node['Rows Removed by Filter'] ?? 0) + (node['Rows Removed by Index Recheck'] ?? 0);
  const self = {
    type: node['Node Type'],
    relation: node['Relation Name'] ?? null,
    rowsRead: Math.round(perLoop * node['Actual Loops']),
  };
  return [self, ...(node.Plans ?? []).flatMap(nodesOf)];
}
