/** "Did you mean": of many names those that come near to one that is not there. Pure. */

const MAX_TOLD = 5;

/** ` Did you mean "Hot" or "Hold"?`; when nothing comes near and there are few, ` There are: "Hot", "Cold".`; else nothing. */
export function nearest(given: string, names: readonly string[]): string {
  const filled = names.map((name) => name.trim()).filter((name) => name !== '');
  // Of "title" and "Title" the first.
  const all = [...new Map(filled.toReversed().map((name) => [name.toLowerCase(), name])).values()].toReversed();
  const wanted = given.trim().toLowerCase();
  const near = all
    .map((name) => ({ name, far: howFar(wanted, name.toLowerCase()) }))
    .filter(({ far }) => far <= Math.max(wanted.length > 3 ? 2 : 1, Math.floor(wanted.length / 3)))
    .sort((left, right) => left.far - right.far)
    .slice(0, MAX_TOLD)
    .map(({ name }) => `“${name}”`);
  if (near.length > 0) return ` Did you mean ${near.join(' or ')}?`;
  return all.length > 0 && all.length <= MAX_TOLD * 2 ? ` There are: ${all.map((name) => `“${name}”`).join(', ')}.` : '';
}

/** A name that contains the other, or begins like it, is nearer than its length says. */
function howFar(wanted: string, name: string): number {
  const isPart = wanted.length > 2 && (name.includes(wanted) || wanted.includes(name));
  return isPart && name.length > 2 ? 1 : distance(wanted.slice(0, 100), name.slice(0, 100));
}

/** Levenshtein's distance: how many letters have to be put in, taken out or changed. */
function distance(from: string, to: string): number {
  let above = Array.from({ length: to.length + 1 }, (_, at) => at);
  for (let i = 1; i <= from.length; i++) {
    const row = [i];
    for (let j = 1; j <= to.length; j++) {
      const changed = (above[j - 1] ?? 0) + (from[i - 1] === to[j - 1] ? 0 : 1);
      row.push(Math.min((above[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, changed));
    }
    above = row;
  }
  return above[to.length] ?? 0;
}
