/** CPU time of other processes, read where Linux shows it: unlike elapsed time it hardly grows when the machine is busy with something else. */

import { readFileSync } from 'node:fs';

/** Linux counts in hundredths of a second, whatever its kernel's own clock. */
const MS_PER_TICK = 10;
/** `utime` and `stime`, and those of ended children, counted behind the process's name, which is in brackets. */
const [UTIME, STIME, CUTIME, CSTIME] = [11, 12, 13, 14];

/** User and system time of these processes together, one that has ended meanwhile counting none; null where there is no /proc. */
export function cpuMsOf(pids: readonly number[]): number | null {
  return msOf(pids, [UTIME, STIME]);
}

/** That of a process's children that have ended; null where there is no /proc. */
export function endedCpuMsOf(parentPid: number): number | null {
  return msOf([parentPid], [CUTIME, CSTIME]);
}

function msOf(pids: readonly number[], positions: readonly number[]): number | null {
  if (process.platform !== 'linux') return null;
  const ticks = pids.flatMap((pid) => {
    const stat = statOf(pid);
    if (stat === null) return [];
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return positions.map((position) => Number(fields[position]));
  });
  return ticks.reduce((sum, each) => sum + each, 0) * MS_PER_TICK;
}

/** Null: it has ended. */
function statOf(pid: number): string | null {
  try {
    return readFileSync(`/proc/${String(pid)}/stat`, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ESRCH')) return null;
    throw error;
  }
}
