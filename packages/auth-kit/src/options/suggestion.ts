/**
 * Finds the known name that a misspelt one may mean.
 *
 * @returns `; did you mean NAME?`, to be put behind what is wrong; empty where nothing is near.
 */
export function didYouMean(written: string, known: readonly string[]): string {
  // A third of the letters wrong is a slip; more is another word.
  const most = Math.max(1, Math.floor(written.length / 3));
  const near = known
    .map((name) => ({ name, distance: editDistance(written.toLowerCase(), name.toLowerCase()) }))
    .filter(({ distance }) => distance <= most)
    .sort((a, b) => a.distance - b.distance)[0];
  return near === undefined ? "" : `; did you mean ${near.name}?`;
}

/** How many letters are inserted, left out, replaced or swapped with their neighbour: the optimal string alignment. */
function editDistance(one: string, other: string): number {
  // Far longer than any name that is known, and the work is the product of the lengths.
  if (one.length > 100) return one.length;
  let [before, last]: number[][] = [[], Array.from({ length: other.length + 1 }, (_, column) => column)];
  for (let row = 1; row <= one.length; row++) {
    const next = [row];
    for (let column = 1; column <= other.length; column++) {
      const same = one[row - 1] === other[column - 1];
      const swapped = row > 1 && column > 1 && one[row - 1] === other[column - 2] && one[row - 2] === other[column - 1];
      next[column] = Math.min(
        at(last, column) + 1,
        at(next, column - 1) + 1,
        at(last, column - 1) + (same ? 0 : 1),
        swapped ? at(before, column - 2) + 1 : Number.POSITIVE_INFINITY,
      );
    }
    [before, last] = [last, next];
  }
  return at(last, other.length);
}

function at(row: readonly number[] | undefined, column: number): number {
  return row?.[column] ?? Number.POSITIVE_INFINITY;
}
