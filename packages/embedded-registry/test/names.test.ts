import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseDigest } from "../src/names/digest.ts";
import { isRepositoryName, longestRepositoryName } from "../src/names/repository-name.ts";
import { isTag } from "../src/names/tag.ts";

/** The pattern as the OCI distribution specification prints it. */
const specified = /^[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(\/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*$/;

const word = fc.stringMatching(/^[a-z0-9]{1,6}$/);
const separator = fc.constantFrom(".", "_", "__", "-", "---");
const component = fc
  .tuple(word, fc.array(fc.tuple(separator, word), { maxLength: 3 }))
  .map(([first, rest]) => first + rest.flat().join(""));
const repositoryName = fc.array(component, { minLength: 1, maxLength: 5 }).map((parts) => parts.join("/"));

describe("a repository's name", () => {
  test("is taken when it is built by the grammar", () => {
    fc.assert(fc.property(repositoryName, (name) => isRepositoryName(name)));
  });

  test("is judged as the specification's pattern judges it", () => {
    const near = fc.string({ unit: fc.constantFrom(..."ab0._-/A %:"), maxLength: 14 });
    fc.assert(
      fc.property(near, (name) => {
        expect(isRepositoryName(name)).toBe(specified.test(name));
      }),
      { numRuns: 2000 },
    );
  });

  test("is refused with whatever else put in, wherever", () => {
    const foreign = fc.constantFrom("A", "é", "\n", "\0", " ", "%2f", "//", "..", "/./", ":", "#", "___", "._");
    fc.assert(
      fc.property(repositoryName, repositoryName, foreign, (before, after, between) => {
        expect(isRepositoryName(before + between + after)).toBe(false);
      }),
    );
  });

  test("ends at 255 characters", () => {
    expect(isRepositoryName("a".repeat(longestRepositoryName))).toBe(true);
    expect(isRepositoryName("a".repeat(longestRepositoryName + 1))).toBe(false);
  });
});

describe("a tag", () => {
  test.each(["latest", "_", "1.0-rc.1", "A".repeat(128)])("may be %j", (tag) => {
    expect(isTag(tag)).toBe(true);
  });

  test.each(["", ".a", "-a", "a/b", "a:b", "a b", "a\n", "A".repeat(129)])("is not %j", (tag) => {
    expect(isTag(tag)).toBe(false);
  });
});

describe("a digest", () => {
  test("reads back as it was written", () => {
    const sha256 = `sha256:${"0a".repeat(32)}`;
    const sha512 = `sha512:${"f9".repeat(64)}`;
    expect(parseDigest(sha256)).toEqual({ algorithm: "sha256", hex: "0a".repeat(32), text: sha256 });
    expect(parseDigest(sha512)).toEqual({ algorithm: "sha512", hex: "f9".repeat(64), text: sha512 });
  });

  test.each([
    "",
    "sha256:",
    `sha256:${"0a".repeat(31)}`,
    `sha256:${"0a".repeat(64)}`,
    `sha512:${"0a".repeat(32)}`,
    `sha256:${"0A".repeat(32)}`,
    `md5:${"0a".repeat(16)}`,
    `sha256:${"0a".repeat(32)}\n`,
  ])("is not %j", (text) => {
    expect(parseDigest(text)).toBeUndefined();
  });
});
