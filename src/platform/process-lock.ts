/** Says which process owns a folder, by a small file in it, and survives owners that were killed: a dead owner owns nothing. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';

export interface ProcessLock {
  readonly kind: 'acquired';
  release(): void;
}

export interface HeldLock {
  readonly kind: 'held';
  readonly pid: number;
}

/**
 * Takes the lock file for this process, or tells which living process has it.
 * The file holds "pid start-time": the start time unmasks a pid that was given anew, as happens at every start of a container.
 */
export function acquireProcessLock(lockFile: string): ProcessLock | HeldLock {
  const ours = `${String(process.pid)} ${runningSince(process.pid) ?? 'unknown'}`;
  if (!createFile(lockFile, ours)) {
    const holder = livingHolder(lockFile);
    if (holder !== undefined) return { kind: 'held', pid: holder };
    rmSync(lockFile, { force: true });
    if (!createFile(lockFile, ours)) return { kind: 'held', pid: livingHolder(lockFile) ?? 0 };
  }
  return { kind: 'acquired', release: () => rmSync(lockFile, { force: true }) };
}

/** When a process started, in a form that is only good for comparing; undefined when it does not run (a zombie does not). */
export function runningSince(pid: number): string | undefined {
  const stat = process.platform === 'linux' ? readIfThere(`/proc/${String(pid)}/stat`) : undefined;
  if (stat === undefined) return isSignalable(pid) ? 'unknown' : undefined;
  // proc(5): after the name in parentheses come the state (field 3) and, as field 22, the start time.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields[0] === 'Z' || fields[0] === 'X' ? undefined : (fields[19] ?? 'unknown');
}

/** The code of a system error such as ENOENT, else ''. By shape, because errors of Node's own modules come from another realm under jest. */
export function systemErrorCode(error: unknown): string {
  return typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : '';
}

function createFile(file: string, content: string): boolean {
  try {
    writeFileSync(file, content, { flag: 'wx', mode: 0o644 });
    return true;
  } catch (error) {
    if (systemErrorCode(error) === 'EEXIST') return false;
    throw error;
  }
}

function livingHolder(lockFile: string): number | undefined {
  const [pidText = '', since] = (readIfThere(lockFile) ?? '').split(' ');
  const pid = Number.parseInt(pidText, 10);
  if (!Number.isInteger(pid) || pid <= 0) return undefined;
  const actual = runningSince(pid);
  return actual !== undefined && actual === since ? pid : undefined;
}

function isSignalable(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return systemErrorCode(error) === 'EPERM';
  }
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (['ENOENT', 'ESRCH', 'EACCES'].includes(systemErrorCode(error))) return undefined;
    throw error;
  }
}
