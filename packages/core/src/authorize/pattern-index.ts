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
  /** Of patterns that have a whole path segment which fewer others have than the text at their beginning or end. */
  const bySegment = new Map<string, PatternEntry<T>[]>();
  const others: PatternEntry<T>[] = [];
  const crowds = createCrowds();
  for (const { glob } of entries) {
    yield;
    if (glob.only === undefined) crowds.count(glob);
  }
  for (const entry of entries) {
    yield;
    const { only, prefix, suffix } = entry.glob;
    const segment = only === undefined ? crowds.rarerSegment(entry.glob) : undefined;
    if (only !== undefined) append(byName, only, entry);
    else if (segment !== undefined) append(bySegment, segment, entry);
    else if (prefix.endsWith("/")) append(byPath, prefix, entry);
    else if (prefix !== "") appendByLength(byPrefix, prefix, entry);
    else if (suffix !== "") appendByLength(bySuffix, suffix, entry);
    else others.push(entry);
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

/** How many patterns share what one of them could be looked up by. */
interface Crowds {
  count(glob: Keys): void;
  /** The segment that the fewest share, where it is shared by fewer than the text at the beginning, or else at the end. */
  rarerSegment(glob: Keys): string | undefined;
}

type Keys = Pick<Glob, "prefix" | "suffix" | "segments">;

function createCrowds(): Crowds {
  const ofEnds = new Map<string, number>();
  const ofSegments = new Map<string, number>();
  const countIn = (counts: Map<string, number>, key: string): void => void counts.set(key, (counts.get(key) ?? 0) + 1);
  /** No prefix has a `*`. */
  const endOf = ({ prefix, suffix }: Keys): string => (prefix === "" ? `*${suffix}` : prefix);
  return {
    count(glob) {
      countIn(ofEnds, endOf(glob));
      for (const segment of new Set(glob.segments)) countIn(ofSegments, segment);
    },
    rarerSegment(glob) {
      const end = endOf(glob);
      // Where nothing is known of either end, any segment is better.
      let fewest = end === "*" ? Number.POSITIVE_INFINITY : (ofEnds.get(end) ?? 0);
      let rarest: string | undefined;
      for (const segment of glob.segments) {
        const count = ofSegments.get(segment) ?? 0;
        if (count >= fewest) continue;
        fewest = count;
        rarest = segment;
      }
      return rarest;
    },
  };
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
