import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compileGlob, globFault, impossibleSegment } from "../../src/authorize/glob.ts";
import { globOracle } from "./glob-oracle.ts";

const matches = (pattern: string, repository: string, username?: string): boolean =>
  compileGlob(pattern).matches(repository, username);

describe("a pattern", () => {
  test.each<[pattern: string, yes: string[], no: string[]]>([
    ["team", ["team"], ["team-evil", "a/team", "team/app", "teams", "xteam"]],
    ["team/app", ["team/app"], ["team/app2", "team/app/x", "x/team/app", "team", "teamxapp"]],
    ["team/*", ["team/app", "team/a-b"], ["team", "team/a/b", "team-evil/app", "x/team/app"]],
    ["team/**", ["team/app", "team/a/b"], ["team", "team-evil/app", "x/team/app"]],
    ["**", ["a", "a/b", "a/b/c"], []],
    ["*", ["a", "abc"], ["a/b"]],
    ["**/app", ["app", "a/app", "a/b/app"], ["app/a", "a/app2", "xapp"]],
    ["a/**/z", ["a/z", "a/b/z", "a/b/c/z"], ["a", "z", "a/z/b", "xa/z"]],
    ["**/a/**", ["a/b", "x/a/b", "x/y/a/b/c"], ["a", "x/a", "b/c"]],
    ["ci-*/**", ["ci-1/app", "ci-/app"], ["ci-1", "ci/app", "xci-1/app"]],
    ["a*b*c", ["abc", "axbxc", "abbbc"], ["ac", "abcd", "xabc"]],
    ["*-prod", ["a-prod", "a-b-prod"], ["prod", "a-prod2", "x/a-prod"]],
    ["a.b", ["a.b"], ["axb"]],
    ["a+b", [], ["aab", "a+b/x"]],
  ])("%s is anchored at both ends", (pattern, yes, no) => {
    for (const name of yes) expect(matches(pattern, name), name).toBe(true);
    for (const name of no) expect(matches(pattern, name), name).toBe(false);
  });

  test("with the caller's name takes it literally, and as one segment", () => {
    expect(matches("${username}/**", "alice/app", "alice")).toBe(true);
    expect(matches("${username}/**", "bob/app", "alice")).toBe(false);
    expect(matches("home-${username}/x", "home-alice/x", "alice")).toBe(true);
    for (const name of ["*", "**", "a/b", "..", "", "Alice", "$&", "${username}", "a*", "alice/app/.."]) {
      expect(matches("${username}/**", `${name}/app`, name), name).toBe(false);
      expect(matches("${username}/**", "alice/app", name), name).toBe(false);
      expect(matches("${username}/**", "a/b/app", name), name).toBe(false);
    }
    expect(matches("${username}/**", "alice/app", undefined)).toBe(false);
  });

  test("is known as including or excluding, and as matching everything", () => {
    expect(compileGlob("!secret/**")).toMatchObject({ negative: true, everything: false });
    expect(compileGlob("**")).toMatchObject({ negative: false, everything: true });
    expect(compileGlob("!**")).toMatchObject({ negative: true, everything: false });
    expect(compileGlob("**/**")).toMatchObject({ everything: false });
  });

  test.each(["", "!", "a//b", "/a", "a/", "a**", "**a/b", "a/***", "${user}/x", "$x"])("%j is invalid", (pattern) => {
    expect(globFault(pattern)).toEqual(expect.any(String));
  });

  test.each(["a", "!a/*", "**", "a-*/b_c", "${username}/**", "x-${username}-*"])("%j is well-formed", (pattern) => {
    expect(globFault(pattern)).toBeUndefined();
    expect(impossibleSegment(pattern)).toBeUndefined();
  });

  test.each([
    ["Team/**", "Team"],
    ["a/_b", "_b"],
    ["a b", "a b"],
    ["a/..", ".."],
  ])("%j can match no repository", (pattern, segment) => {
    expect(impossibleSegment(pattern)).toBe(segment);
  });
});

const username = fc.constantFrom(
  undefined,
  "",
  "a",
  "ab",
  "a.b",
  "a/b",
  "A",
  "*",
  "a*",
  "**",
  "..",
  "$&",
  "${username}",
);
const placed = fc.constantFrom("${username}", "a-${username}", "${username}*", "${username}${username}");
const segment = fc.oneof(fc.constantFrom("a", "b", "ab", "*", "a*", "*b", "a*b", "**", "a.b", "*.*"), placed);
const pattern = fc.array(segment, { minLength: 1, maxLength: 6 }).map((parts) => parts.join("/"));
const name = fc
  .array(fc.constantFrom("a", "b", "ab", "aab", "a.b", "axb", "a-a", "a-ab", "aa"), { minLength: 1, maxLength: 7 })
  .map((parts) => parts.join("/"));

test("patterns match as equivalent regular expressions do", () => {
  fc.assert(
    fc.property(pattern, name, username, (glob, repository, user) => {
      expect(globFault(glob)).toBeUndefined();
      expect(matches(glob, repository, user)).toBe(globOracle(glob, repository, user));
    }),
    { numRuns: 20_000 },
  );
});

test("a pattern with ! excludes what it matches without it", () => {
  fc.assert(
    fc.property(pattern, name, username, (glob, repository, user) => {
      const taking = compileGlob(`!${glob}`);
      expect(taking.negative).toBe(true);
      expect(taking.matches(repository, user)).toBe(matches(glob, repository, user));
    }),
    { numRuns: 2000 },
  );
});

test("any text is a valid or invalid pattern, and matching a valid one never throws", () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.string(), fc.stringMatching(/^[!a*/${}]{0,12}$/)),
      name,
      username,
      (text, repository, user) => {
        if (globFault(text) === undefined) expect(matches(text, repository, user)).toBeTypeOf("boolean");
      },
    ),
    { numRuns: 5000 },
  );
});

test("a pattern that can match no repository matches none, and its invalid segment is named", () => {
  const odd = fc
    .oneof(segment, fc.stringMatching(/^[aA0*._-]{1,5}$/))
    .filter((part) => !/\*\*./.test(part) && !/.\*\*/.test(part));
  const odds = fc.array(odd, { minLength: 1, maxLength: 3 }).map((parts) => parts.join("/"));
  const real = fc
    .array(fc.stringMatching(/^[a0]{1,2}((\.|_|__|-{1,2})[a0]{1,2})?$/), { minLength: 1, maxLength: 3 })
    .map((parts) => parts.join("/"));
  fc.assert(
    fc.property(odds, real, username, (glob, repository, user) => {
      const segment = impossibleSegment(glob);
      if (segment === undefined) return;
      expect(glob.split("/")).toContain(segment);
      expect(matches(glob, repository, user)).toBe(false);
    }),
    { numRuns: 20_000 },
  );
});

test("a malicious pattern does not make matching slow", () => {
  const pattern = `${"**/a/".repeat(20)}b`;
  const name = `${"a/".repeat(120)}c`;
  expect(matches(pattern, name)).toBe(false);
  expect(matches(`${"a*".repeat(30)}b`, "a".repeat(250))).toBe(false);
});
