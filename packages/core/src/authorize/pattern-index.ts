import { atOnce, type Steps } from "@registry-gate/auth-kit";
import type { Glob } from "./glob.ts";

/** A pattern, and what it stands for. */
export interface PatternEntry<T> {
  readonly glob: Pick<Glob, "only" | "prefix" | "suffix" | "segments" | "matches">;
  readonly value: T;
}

/** Patterns by a text that all names have that match, so that few of them have to be compared with a name. */
export interface PatternIndex<T> {
  /**
   * Calls `visit` with the values of the patterns that match. They come in several runs, each in the order of the entries;
   * where it returns true, the rest of a run is left out.
   */
  each(repository: string, username: string | undefined, visit: (value: T) => boolean): void;
}

/** From how many patterns on an index costs less than comparing each of them. */
const worthAnIndex = 8;

/** @param entries None of them is of a pattern that excludes. */
export function indexPatterns<T>(entries: readonly PatternEntry<T>[]): PatternIndex<T> {
  return atOnce(patternIndex(entries));
}

/** The same, in a step for each pattern. */
export function* patternIndex<T>(entries: readonly PatternEntry<T>[]): Steps<PatternIndex<T>> {
  if (entries.length <= worthAnIndex) {
    return { each: (repository, username, visit) => visitRun(entries, repository, username, visit) };
  }
  const byName = new Map<string, PatternEntry<T>[]>();
  const byPath = new Map<string, PatternEntry<T>[]>();
  /** Of patterns whose first `*` is not at the beginning of a path segment. */
  const byPrefix: ByLength<T> = new Map();
  /** Of patterns that begin with `*`. */
  const bySuffix: ByLength<T> = new Map();
  const others: PatternEntry<T>[] = [];
  for (const entry of entries) {
    yield;
    const { only, prefix, suffix } = entry.glob;
    if (only !== undefined) append(byName, only, entry);
    else if (prefix.endsWith("/")) append(byPath, prefix, entry);
    else if (prefix !== "") appendByLength(byPrefix, prefix, entry);
    else if (suffix !== "") appendByLength(bySuffix, suffix, entry);
    else others.push(entry);
  }
  /** Of patterns that many share the text with at their beginning or end, but few a whole path segment. */
  const bySegment = new Map<string, PatternEntry<T>[]>();
  const crowds = [...byPath.values(), ...listsOf(byPrefix), ...listsOf(bySuffix), others];
  const rarest = yield* rarestSegments(crowds.filter(({ length }) => length > worthAnIndex));
  if (rarest.size > 0) {
    for (const list of crowds) keepOnly(list, (entry) => !rarest.has(entry));
    for (const entry of entries) {
      yield;
      const segment = rarest.get(entry);
      if (segment !== undefined) append(bySegment, segment, entry);
    }
    dropEmpty(byPath);
    for (const map of [byPrefix, bySuffix]) {
      for (const ofLength of map.values()) dropEmpty(ofLength);
      for (const [length, ofLength] of map) if (ofLength.size === 0) map.delete(length);
    }
  }
  return {
    each(repository, username, visit) {
      const run = (found: readonly PatternEntry<T>[] | undefined): void => {
        if (found !== undefined) visitRun(found, repository, username, visit);
      };
      if (byName.size > 0) run(byName.get(repository));
      if (byPath.size > 0) {
        for (let at = repository.indexOf("/"); at !== -1; at = repository.indexOf("/", at + 1)) {
          run(byPath.get(repository.slice(0, at + 1)));
        }
      }
      if (bySegment.size > 0) {
        // A segment that comes twice is looked up once.
        const seen = new Set<string>();
        for (const segment of repository.split("/")) {
          if (seen.has(segment)) continue;
          seen.add(segment);
          run(bySegment.get(segment));
        }
      }
      for (const [length, ofLength] of byPrefix) run(ofLength.get(repository.slice(0, length)));
      for (const [length, ofLength] of bySuffix) run(ofLength.get(repository.slice(-length)));
      run(others);
    },
  };
}

/** Of the patterns of crowded lists, the segment that the fewest of them have, where fewer have it than are in the list. */
function* rarestSegments<T>(
  crowded: readonly (readonly PatternEntry<T>[])[],
): Steps<ReadonlyMap<PatternEntry<T>, string>> {
  const counts = new Map<string, number>();
  for (const list of crowded) {
    for (const { glob } of list) {
      yield;
      for (const segment of new Set(glob.segments)) counts.set(segment, (counts.get(segment) ?? 0) + 1);
    }
  }
  const rarest = new Map<PatternEntry<T>, string>();
  for (const list of crowded) {
    for (const entry of list) {
      yield;
      let fewest = list.length;
      for (const segment of entry.glob.segments) {
        const count = counts.get(segment) ?? 0;
        if (count >= fewest) continue;
        fewest = count;
        rarest.set(entry, segment);
      }
    }
  }
  return rarest;
}

function keepOnly<T>(list: T[], isKept: (entry: T) => boolean): void {
  const kept = list.filter(isKept);
  list.length = 0;
  for (const entry of kept) list.push(entry);
}

function dropEmpty(lists: Map<string, readonly unknown[]>): void {
  for (const [key, list] of lists) if (list.length === 0) lists.delete(key);
}

function* listsOf<T>(map: ByLength<T>): Generator<PatternEntry<T>[], void, undefined> {
  for (const ofLength of map.values()) yield* ofLength.values();
}

/** Patterns by the length of a text in them, and by that text. */
type ByLength<T> = Map<number, Map<string, PatternEntry<T>[]>>;

function appendByLength<T>(map: ByLength<T>, text: string, entry: PatternEntry<T>): void {
  const ofLength = map.get(text.length) ?? new Map<string, PatternEntry<T>[]>();
  map.set(text.length, append(ofLength, text, entry));
}

function visitRun<T>(
  entries: readonly PatternEntry<T>[],
  repository: string,
  username: string | undefined,
  visit: (value: T) => boolean,
): void {
  for (const { glob, value } of entries) if (glob.matches(repository, username) && visit(value)) return;
}

function append<T>(map: Map<string, T[]>, key: string, value: T): Map<string, T[]> {
  const known = map.get(key);
  if (known === undefined) map.set(key, [value]);
  else known.push(value);
  return map;
}
