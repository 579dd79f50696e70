/** Recognises a PostgreSQL server that a killed process of ours left running on a cluster, and stops it. */
import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { AppError } from '../core/errors';
import { runningSince, systemErrorCode } from './process-lock';

const FAST_STOP_MS = 15_000;
const IMMEDIATE_STOP_MS = 5_000;

export interface ServerStatus {
  readonly pid: number;
  readonly isReady: boolean;
}

/** What a cluster's postmaster.pid says (line 1 the pid, line 8 the state); undefined when there is none. It may be stale. */
export function serverStatus(clusterDir: string): ServerStatus | undefined {
  let lines: string[];
  try {
    lines = readFileSync(join(clusterDir, 'postmaster.pid'), 'utf8').split('\n');
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
  const pid = Number.parseInt(lines[0] ?? '', 10);
  return Number.isInteger(pid) && pid > 0 ? { pid, isReady: lines[7]?.trim() === 'ready' } : undefined;
}

/**
 * Stops the server that still runs on a cluster; call it only while holding the folder's lock, so that its owner is known to be gone.
 * Returns whether there was one. Throws an AppError when it is not ours or does not end.
 */
export async function stopLeftOverServer(clusterDir: string): Promise<boolean> {
  const pid = serverStatus(clusterDir)?.pid;
  if (pid === undefined) return false;
  if (runningSince(pid) !== undefined) {
    const command = commandLine(pid, clusterDir);
    if (command.includes(clusterDir)) {
      await stop(pid);
      // It removes its file when it ends in order, not when it was being killed already.
      forgetPid(pid, clusterDir);
      return true;
    }
    if (/^postgres(\.exe)?$/.test(basename(command[0] ?? ''))) {
      throw new AppError(
        'data_dir_in_use',
        `${clusterDir} is already in use by another PostgreSQL, process ${String(pid)}; stop it or set DATA_DIR`,
      );
    }
  }
  forgetPid(pid, clusterDir);
  return false;
}

/** PostgreSQL itself overlooks the file of a dead process, but not when the pid now belongs to some other program, or to a zombie. */
function forgetPid(pid: number, clusterDir: string): void {
  if (isPidTaken(pid)) rmSync(join(clusterDir, 'postmaster.pid'), { force: true });
}

async function stop(pid: number): Promise<void> {
  const steps = [
    { signal: 'SIGINT', waitMs: FAST_STOP_MS },
    { signal: 'SIGQUIT', waitMs: IMMEDIATE_STOP_MS },
    { signal: 'SIGKILL', waitMs: 1_000 },
  ] as const;
  for (const { signal, waitMs } of steps) {
    try {
      process.kill(pid, signal);
    } catch (cause) {
      if (runningSince(pid) === undefined) return;
      throw new AppError(
        'data_dir_in_use',
        `An earlier embedded PostgreSQL, process ${String(pid)}, still runs and may not be stopped by this user; stop it or set DATA_DIR`,
        { cause },
      );
    }
    for (const deadline = Date.now() + waitMs; Date.now() < deadline; await delay(20)) {
      if (runningSince(pid) === undefined) return;
    }
  }
  throw new AppError(
    'data_dir_in_use',
    `An earlier embedded PostgreSQL, process ${String(pid)}, does not end; stop it or set DATA_DIR`,
  );
}

/** Program and folder of a process: Linux says exactly, elsewhere `ps` joins the words with spaces, Windows only names the program. */
function commandLine(pid: number, clusterDir: string): string[] {
  if (process.platform === 'linux') return readFileSync(`/proc/${String(pid)}/cmdline`, 'utf8').split('\0');
  if (process.platform === 'win32') {
    const task = execFileSync('tasklist', ['/FI', `PID eq ${String(pid)}`, '/FO', 'CSV', '/NH'], { encoding: 'utf8' });
    return task.includes('postgres.exe') ? ['postgres.exe', clusterDir] : [task];
  }
  const words = execFileSync('ps', ['-o', 'command=', '-p', String(pid)], { encoding: 'utf8' }).trim();
  const [program = '', flags = ''] = words.split(' -D ', 2);
  return [program, flags.split(' -c ', 1)[0] ?? ''];
}

function isPidTaken(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return systemErrorCode(error) === 'EPERM';
  }
}
