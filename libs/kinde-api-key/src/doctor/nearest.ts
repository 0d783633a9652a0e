/** A name that differs in more characters is another word, not a typing error. */
const MAX_EDITS = 3;

/** Returns the name that is most like a misspelt one, or `undefined` if none is. */
export function nearestOf(misspelt: string, names: readonly string[]): string | undefined {
  const distances = names.map((name) => ({ name, edits: editsBetween(misspelt.toLowerCase(), name.toLowerCase()) }));
  const [nearest] = distances.sort((one, other) => one.edits - other.edits);
  return nearest && nearest.edits <= Math.min(MAX_EDITS, misspelt.length / 2) ? nearest.name : undefined;
}

/** Number of characters to insert, delete or replace (Levenshtein). */
function editsBetween(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (const [index, character] of one.split('').entries()) {
    const next = [index + 1];
    for (const [position, wanted] of other.split('').entries()) {
      const replaced = (row[position] ?? 0) + (character === wanted ? 0 : 1);
      next.push(Math.min(replaced, (row[position + 1] ?? 0) + 1, (next[position] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}
