/** CPU time of other processes, read where Linux shows it: unlike elapsed time it hardly grows when the machine is busy with something else. */

import { readFileSync } from 'node:fs';

/** Linux counts in hundredths of a second, whatever its kernel's own clock. */
const MS_PER_TICK = 10;
/** `utime` and `stime`, counted behind the process's name, which is in brackets. */
const [UTIME, STIME] = [11, 12];

/** User and system time of these processes together; null where there is no /proc. */
export function cpuMsOf(pids: readonly number[]): number | null {
  if (process.platform !== 'linux') return null;
  const ticks = pids.map((pid) => {
    const stat = readFileSync(`/proc/${String(pid)}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return Number(fields[UTIME]) + Number(fields[STIME]);
  });
  return ticks.reduce((sum, each) => sum + each, 0) * MS_PER_TICK;
}
