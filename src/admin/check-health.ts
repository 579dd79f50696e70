/** Whether the parts that Dealbell stands on answer: the database, without which nothing goes, and the queue, without which it goes slower. */

export interface Check {
  readonly status: 'ok' | 'down';
  readonly latencyMs: number;
  /** In words, without addresses or secrets. */
  readonly reason?: string;
}

export interface Health {
  readonly status: 'ok' | 'degraded' | 'down';
  readonly checks: { readonly database: Check; readonly queue: Check & { readonly backend: string } };
  readonly version: string;
}

export interface CheckHealthDependencies {
  readonly isDatabaseReachable: (timeoutMs: number) => Promise<boolean>;
  readonly pingQueue: (timeoutMs: number) => Promise<void>;
  readonly queueBackend: string;
  readonly version: string;
  readonly nowMs: () => number;
}

const PATIENCE_MS = 2_000;

/** Makes the check; it never rejects. */
export function makeCheckHealth(dependencies: CheckHealthDependencies): () => Promise<Health> {
  const { nowMs, queueBackend, version } = dependencies;
  return async () => {
    const [database, queue] = await Promise.all([
      timed(nowMs, () => dependencies.isDatabaseReachable(PATIENCE_MS), 'The database does not answer.'),
      timed(nowMs, () => answers(dependencies.pingQueue(PATIENCE_MS)), 'The queue does not answer; the sweep does its work.'),
    ]);
    const status = database.status === 'down' ? 'down' : queue.status === 'down' ? 'degraded' : 'ok';
    return { status, checks: { database, queue: { ...queue, backend: queueBackend } }, version };
  };
}

async function timed(nowMs: () => number, check: () => Promise<boolean>, reason: string): Promise<Check> {
  const startedAtMs = nowMs();
  const isWell = await check();
  const latencyMs = Math.round(nowMs() - startedAtMs);
  return isWell ? { status: 'ok', latencyMs } : { status: 'down', latencyMs, reason };
}

function answers(ping: Promise<void>): Promise<boolean> {
  return ping.then(
    () => true,
    () => false,
  );
}
