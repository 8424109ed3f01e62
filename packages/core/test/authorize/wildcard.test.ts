import fc from "fast-check";
import { expect, test } from "vitest";
import { compileWildcard, matchWildcard } from "../../src/authorize/wildcard.ts";

const matches = (pattern: string, text: string): boolean => matchWildcard(compileWildcard(pattern), text);

test.each<[pattern: string, yes: string[], no: string[]]>([
  ["v*", ["v", "v1", "v1.0"], ["", "xv", "1"]],
  ["*", ["", "anything"], []],
  ["latest", ["latest"], ["latest2", "xlatest", "Latest", ""]],
  ["v*.*", ["v1.0", "v.", "v1.0.2"], ["v1", "1.0"]],
  ["*-rc*", ["1-rc1", "-rc"], ["1-r", "rc1"]],
  ["a*a", ["aa", "aba"], ["a", "ab"]],
  ["ab*ba", ["abba", "abxba"], ["aba"]],
  ["**", ["", "x"], []],
])("%s matches the whole text", (pattern, yes, no) => {
  for (const text of yes) expect(matches(pattern, text), text).toBe(true);
  for (const text of no) expect(matches(pattern, text), text).toBe(false);
});

test("a star matches any text, as an equivalent regular expression does", () => {
  const pattern = fc.stringMatching(/^[ab.*]{0,10}$/);
  const text = fc.stringMatching(/^[ab.]{0,14}$/);
  fc.assert(
    fc.property(pattern, text, (wildcard, candidate) => {
      const plain = new RegExp(`^${wildcard.replaceAll(".", "\\.").replaceAll("*", ".*")}$`);
      expect(matches(wildcard, candidate)).toBe(plain.test(candidate));
    }),
    { numRuns: 20_000 },
  );
});
