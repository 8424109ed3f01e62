import { FILTER } from "../bounds.ts";
import { invalidContent } from "../directory-error.ts";
import { either, type Filter, sizeOf } from "../filter/filter.ts";

/** Things that are searched for together. */
export interface Batch<T> {
  readonly items: readonly T[];
  /** Matches what any of the items stands for. */
  readonly filter: Filter;
}

/**
 * As many things from the beginning of a list as go into one filter.
 *
 * @throws {DirectoryError} when the first one alone is too long.
 */
export function takeBatch<T>(
  items: readonly T[],
  filterOf: (item: T) => Filter,
  most: number = FILTER.alternatives,
): Batch<T> {
  const filters: Filter[] = [];
  let bytes = 0;
  for (const item of items.slice(0, most)) {
    const filter = filterOf(item);
    bytes += sizeOf(filter);
    if (bytes > FILTER.bytes) break;
    filters.push(filter);
  }
  if (filters.length === 0) throw invalidContent(`a search filter would be longer than ${FILTER.bytes} bytes`);
  return { items: items.slice(0, filters.length), filter: either(filters) };
}

/** What came of a batch: all of it is decided, or the server has stopped after so many entries. */
export type BatchOutcome = "decided" | { readonly entries: number };

/**
 * Searches for things in batches. A batch that could not be decided is searched for again by halves, and where the server
 * gives fewer entries than there are things in a batch, later ones are no larger.
 *
 * @returns the things that could not be decided even by themselves.
 * @throws {DirectoryError} as `decide` does.
 */
export async function decideInBatches<T>(
  items: readonly T[],
  filterOf: (item: T) => Filter,
  decide: (batch: Batch<T>) => Promise<BatchOutcome>,
): Promise<readonly T[]> {
  const undecided: T[] = [];
  const waiting = [items];
  let most = FILTER.alternatives;
  for (let list = waiting.pop(); list !== undefined; list = waiting.pop()) {
    if (list.length === 0) continue;
    const batch = takeBatch(list, filterOf, most);
    const { length } = batch.items;
    waiting.push(list.slice(length));
    const outcome = await decide(batch);
    if (outcome === "decided") continue;
    if (length === 1) {
      undecided.push(...batch.items);
      continue;
    }
    if (outcome.entries > 0) most = Math.min(most, outcome.entries);
    const middle = Math.min(most, Math.ceil(length / 2));
    waiting.push(batch.items.slice(middle), batch.items.slice(0, middle));
  }
  return undecided;
}
