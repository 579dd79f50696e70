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
  /** Lets other tests read the log; whoever's plans it has must have ended. */
  close(): Promise<void>;
}

/** The log is one of the whole server, and does not say of which database a plan is: one test after the other. */
const LOG_LOCK = 715_001;

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

/**
 * Sessions opened from now on log their plans; other tests that want the same wait until this one closes. Null where the server's log
 * cannot be read: it is not ours.
 */
export async function logPlans(connectionString: string): Promise<PlanLog | null> {
  const url = new URL(connectionString);
  const database = url.pathname.slice(1);
  // Such a lock is one of a database: that of all.
  url.pathname = '/postgres';
  const client = new Client({ connectionString: url.href });
  await client.connect();
  const { rows } = await client.query<{ data_directory: string }>('SHOW data_directory');
  const logFile = join(dirname(rows[0]?.data_directory ?? ''), 'postgres.log');
  if (!existsSync(logFile)) {
    await client.end();
    return null;
  }
  await client.query('SELECT pg_advisory_lock($1)', [LOG_LOCK]);
  for (const [name, value] of Object.entries(SETTINGS)) await client.query(`ALTER DATABASE ${database} SET ${name} = '${value}'`);
  let offset = statSync(logFile).size;
  return {
    take() {
      const said = readFileSync(logFile).subarray(offset).toString('utf8');
      const entries = [...said.matchAll(ENTRY)];
      const last = entries.at(-1);
      // What follows may be a part of an entry that is just being written.
      if (last !== undefined) offset += Buffer.byteLength(said.slice(0, last.index + last[0].length));
      return entries.map(([, text = '']) => planIn(text));
    },
    close: () => client.end(),
  };
}

/** A line that ends in "plan:", and then the plan, each line of it begun by a tab. */
const ENTRY = /duration: [\d.]+ ms {2}plan:\n((?:\t.*\n)*?\t\}\n)/g;

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
