import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compileGlob, type Glob } from "../../src/authorize/glob.ts";
import { indexPatterns } from "../../src/authorize/pattern-index.ts";

/** An index of these patterns that counts how many of them are compared with a name. */
function countingIndex(patterns: readonly string[]): { found(repository: string): string[]; compared(): number } {
  let compared = 0;
  const counted = (glob: Glob): Glob => ({
    ...glob,
    matches(repository, username) {
      compared++;
      return glob.matches(repository, username);
    },
  });
  const index = indexPatterns(patterns.map((value) => ({ glob: counted(compileGlob(value)), value })));
  return {
    found(repository) {
      const found: string[] = [];
      index.each(repository, "alice", (value) => {
        found.push(value);
        return false;
      });
      return found;
    },
    compared: () => compared,
  };
}

const many = 10_000;

describe("of many patterns, few are compared with a name", () => {
  it.each([
    ["whole names", (at: number) => `team${at}/app`],
    ["what is below a path", (at: number) => `team${at}/**`],
    ["beginnings", (at: number) => `team${at}-*/app`],
    ["ends", (at: number) => `**/app-${at}`],
    ["segments between wildcards", (at: number) => `*/name${at}/**`],
    ["segments anywhere", (at: number) => `**/name${at}/**`],
    ["segments behind a beginning that all have", (at: number) => `team/*/name${at}/**`],
    ["segments before an end that all have", (at: number) => `*/name${at}/*-cache`],
    ["beginnings of a segment that all have", (at: number) => `team${at}*/shared/**`],
    ["segments behind a user's name", (at: number) => `\${username}/name${at}/**`],
  ])("%s", (_, pattern) => {
    const index = countingIndex(Array.from({ length: many }, (_, at) => pattern(at)));
    for (let at = 0; at < 100; at++) {
      const name = pattern(at).replaceAll("${username}", "alice").replaceAll("**", "x").replaceAll("*", "y");
      expect(index.found(name)).toContain(pattern(at));
    }
    expect(index.compared()).toBeLessThanOrEqual(500);
  });
});

it("finds what comparing all patterns finds, each once", () => {
  const part = fc.constantFrom("a", "b", "ab", "*", "a*", "*b", "${username}", "alice");
  const pattern = fc.array(fc.oneof(part, fc.constant("**")), { minLength: 1, maxLength: 4 });
  const name = fc.array(fc.constantFrom("a", "b", "ab", "alice", "abb"), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(
      fc.uniqueArray(
        pattern.map((parts) => parts.join("/")),
        { maxLength: 40 },
      ),
      name,
      (patterns, parts) => {
        const repository = parts.join("/");
        const plain = patterns.filter((each) => compileGlob(each).matches(repository, "alice"));
        expect(countingIndex(patterns).found(repository).sort()).toEqual(plain.sort());
      },
    ),
  );
});
