import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readReference, writeReference } from "../../src/pages/repository/reference.ts";
import { formatBytes } from "../../src/view/bytes.ts";
import { longName, shortDigest } from "../../src/view/names.ts";
import { pageIn, pager } from "../../src/view/pager.ts";
import { exactTime, relativeTime, timeView } from "../../src/view/time.ts";

const now = new Date("2026-11-28T12:00:00Z");
const before = (seconds: number): Date => new Date(now.getTime() - seconds * 1000);

test.each([
  [0, "just now"],
  [59, "just now"],
  [60, "1 minute ago"],
  [3599, "59 minutes ago"],
  [86_399, "23 hours ago"],
  [86_400, "yesterday"],
  [6 * 86_400, "6 days ago"],
  [21 * 86_400, "3 weeks ago"],
  [400 * 86_400, "last year"],
  [-30, "in a moment"],
  [-3600, "in 1 hour"],
])("what was %d seconds ago was %s", (seconds, text) => {
  expect(relativeTime(before(seconds), now)).toBe(text);
});

test("the exact time stands behind the relative one", () => {
  expect(exactTime(new Date("2026-11-20T10:05:00Z"))).toBe("20 November 2026 at 10:05 UTC");
  expect(String(timeView(before(86_400), now))).toBe(
    '<time datetime="2026-11-27T12:00:00.000Z" title="27 November 2026 at 12:00 UTC">yesterday</time>',
  );
});

test.each([
  [0, "0 B"],
  [999, "999 B"],
  [1000, "1.0 kB"],
  [7_912_345, "7.9 MB"],
  [123_456_789, "123 MB"],
  [999_960_000, "1.0 GB"],
  [5e15, "5000 TB"],
])("%d bytes are %s", (bytes, text) => {
  expect(formatBytes(bytes)).toBe(text);
});

test("the two parts of a long name are the name, which is escaped wherever it stands", () => {
  const name = fc.oneof(fc.string({ unit: "grapheme" }), fc.string({ unit: "grapheme", minLength: 25, maxLength: 60 }));
  fc.assert(
    fc.property(name, (whole) => {
      const text = String(longName(whole));
      const found = (pattern: RegExp): string =>
        unescaped([...text.matchAll(pattern)].map(([, part]) => part).join(""));
      if ([...whole].length <= 24) {
        expect(found(/<span class="short">([^<]*)</g)).toBe(whole);
        return;
      }
      expect(found(/<span class="(?:start|end)" aria-hidden="true">([^<]*)</g)).toBe(whole);
      expect(found(/<span class="hidden">([^<]*)</g)).toBe(whole);
      expect(found(/title="([^"]*)"/g)).toBe(whole);
    }),
  );
});

function unescaped(text: string): string {
  return text
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&quot;", '"')
    .replaceAll("&#39;", "'")
    .replaceAll("&amp;", "&");
}

test("a digest is shown as docker shows it", () => {
  expect(String(shortDigest(`sha256:0123456789abcdef${"0".repeat(48)}`))).toContain(">0123456789ab<");
  expect(String(shortDigest(`sha512:0123456789abcdef${"0".repeat(112)}`))).toContain(">sha512:0123456789ab<");
});

describe("a pager", () => {
  const numbers = (page: number, pages: number): string[] =>
    [...String(pager({ path: "/", query: {}, page, pages })).matchAll(/<li[^>]*>(?:<a[^>]*>)?([^<]+)/g)].map(
      ([, text = ""]) => text,
    );

  test("leads to the pages around, the first and the last", () => {
    expect(pager({ path: "/", query: {}, page: 1, pages: 1 })).toBeUndefined();
    expect(numbers(1, 2)).toEqual(["1", "2", "Next"]);
    expect(numbers(5, 9)).toEqual(["Previous", "1", "…", "4", "5", "6", "…", "9", "Next"]);
    expect(numbers(9, 9)).toEqual(["Previous", "1", "…", "8", "9"]);
  });

  test("keeps the rest of the query", () => {
    expect(String(pager({ path: "/r/a", query: { q: "x&y" }, page: 1, pages: 3 }))).toContain(
      'href="/r/a?q=x%26y&amp;page=2"',
    );
  });

  test.each([
    ["2", 2],
    ["", 1],
    ["0", 1],
    ["-1", 1],
    ["1e3", 1],
    ["99999999", 1],
  ])("takes %j for page %d", (text, page) => {
    expect(pageIn(new URLSearchParams({ page: text }))).toBe(page);
  });
});

test("a reference is written as docker writes it, and read again", () => {
  const digest = `sha256:${"a".repeat(64)}`;
  for (const [text, repository, reference] of [
    ["team/app:1.0", "team/app", "1.0"],
    [`team/app@${digest}`, "team/app", digest],
  ] as const) {
    expect(readReference(text)).toEqual({ repository, reference });
    expect(writeReference(repository, reference)).toBe(text);
  }
  expect(readReference("team/app")).toEqual({ repository: "team/app", reference: undefined });
  for (const text of [
    "team/app:",
    "team/app:1.0?x",
    "team/app:1.0/..",
    "team/app@sha256:",
    "TEAM",
    "team//app",
    "",
    ":1.0",
  ]) {
    expect(readReference(text), text).toBeUndefined();
  }
});
