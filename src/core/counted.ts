/** How many of something, in words. */

/** "1 hour", "3 messages". */
export function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}
