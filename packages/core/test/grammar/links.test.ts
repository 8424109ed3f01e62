import fc from "fast-check";
import { expect, test } from "vitest";
import { parseLinks } from "../../src/grammar/links.ts";

test.each<[value: string, links: readonly [target: string, relations: string][]]>([
  ['</v2/_catalog?last=b>; rel="next"', [["/v2/_catalog?last=b", "next"]]],
  ["</a>;rel=next", [["/a", "next"]]],
  ['</a> ; REL = "Next"', [["/a", "next"]]],
  ['<https://a.example/x?y=1,2;3>; rel="last next"', [["https://a.example/x?y=1,2;3", "last next"]]],
  ['</a>; title="a, b; rel=\\"no\\""; rel="next"; rel="first"', [["/a", "next"]]],
  ["</a>; rel", [["/a", ""]]],
  ["</a>", [["/a", ""]]],
  ["</a>;; rel=next;", [["/a", "next"]]],
  ["<>; rel=next", [["", "next"]]],
  [
    ", </a>; rel=first ,, <?b>; type=text/html; rel=next,",
    [
      ["/a", "first"],
      ["?b", "next"],
    ],
  ],
  ["", []],
])("%j is understood", (value, links) => {
  expect(parseLinks(value)).toEqual(links.map(([target, relations]) => ({ target, relations: relations.split(" ") })));
});

test.each([
  "last=b",
  "/v2/_catalog",
  "</a; rel=next",
  "</a>; rel=next x",
  '</a>; rel="next',
  "</a> rel=next",
  "<a b>; rel=next",
  "<<a>>; rel=next",
  '<"a">; rel=next',
  "</a>; rel=next </b>",
])("%j is malformed", (value) => {
  expect(parseLinks(value)).toBeUndefined();
});

test("never makes the parser throw or slow", () => {
  const part = fc.constantFrom("<", ">", ";", ",", '"', "\\", " ", "\t", "rel", "=", "next", "a");
  const value = fc.oneof(
    fc.string(),
    fc.array(part, { maxLength: 30 }).map((parts) => parts.join("")),
  );
  fc.assert(
    fc.property(value, (text) => void parseLinks(text)),
    { numRuns: 5000 },
  );
  for (const filler of [" ", "\t", ";", ",", "a", "a=", '"', "\\", "<", "=", " ;", 'a="']) {
    expect(parseLinks(`</a>; ${filler.repeat(30_000)}\u0000`)).toBeUndefined();
  }
});
