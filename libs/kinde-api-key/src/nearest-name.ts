/** Longer names are not compared: the time that it takes grows with both lengths. */
const MAX_LENGTH = 100;

/** Returns the name that differs least from `wanted`, if a person could have meant it: at most a third of its characters differ. */
export function nearestName(wanted: string, names: Iterable<string>): string | undefined {
  let nearest: string | undefined;
  let least = Math.floor(Math.min(wanted.length, MAX_LENGTH) / 3) + 1;
  for (const name of names) {
    const changes = changesBetween(wanted, name);
    if (changes >= least) continue;
    least = changes;
    nearest = name;
  }
  return nearest;
}

/** Number of characters to insert, delete or replace to get from one text to the other (Levenshtein distance), in any case. */
function changesBetween(one: string, other: string): number {
  if (one.length > MAX_LENGTH || other.length > MAX_LENGTH) return Number.POSITIVE_INFINITY;
  const [from, to] = [one.toLowerCase(), other.toLowerCase()];
  let row = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let index = 0; index < from.length; index += 1) {
    const next = [index + 1];
    for (let column = 1; column <= to.length; column += 1) {
      const replaced = (row[column - 1] ?? 0) + (from[index] === to[column - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[column] ?? 0) + 1, (next[column - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}
