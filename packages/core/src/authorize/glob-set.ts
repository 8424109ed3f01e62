import type { Glob } from "./glob.ts";
import { indexPatterns } from "./pattern-index.ts";

/** Several patterns, of which one has to match. */
export interface GlobSet {
  readonly globs: readonly Glob[];
  /** @param username The value of `${username}`. */
  matches(repository: string, username: string | undefined): boolean;
}

export function globSet(globs: readonly Glob[]): GlobSet {
  const index = indexPatterns(globs.map((glob) => ({ glob, value: glob })));
  return {
    globs,
    matches(repository, username) {
      let matched = false;
      index.each(repository, username, () => {
        matched = true;
        return true;
      });
      return matched;
    },
  };
}
