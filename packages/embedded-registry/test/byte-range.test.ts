import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseByteRange } from "../src/http/byte-range.ts";
import { parseChunkRange } from "../src/http/content-range.ts";

const size = fc.nat({ max: 1000 });

describe("a byte range", () => {
  test("between two offsets names what a slice names", () => {
    const content = Buffer.from(Array.from({ length: 1000 }, (_, index) => index % 251));
    fc.assert(
      fc.property(size, fc.nat({ max: 1200 }), fc.nat({ max: 1200 }), (length, first, last) => {
        const range = parseByteRange(`bytes=${first}-${last}`, length);
        const wanted = content.subarray(0, length).subarray(first, last + 1);
        if (first > last || wanted.length === 0) return range.kind === "unsatisfiable";
        return range.kind === "part" && content.subarray(range.first, range.last + 1).equals(wanted);
      }),
    );
  });

  test("without an end goes to the end", () => {
    fc.assert(
      fc.property(size, fc.nat({ max: 1200 }), (length, first) => {
        expect(parseByteRange(`bytes=${first}-`, length)).toEqual(
          first < length ? { kind: "part", first, last: length - 1 } : { kind: "unsatisfiable" },
        );
      }),
    );
  });

  test("counted from the end names at most everything", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1000 }), fc.integer({ min: 1, max: 1200 }), (length, count) => {
        const range = parseByteRange(`bytes=-${count}`, length);
        expect(range).toEqual({ kind: "part", first: Math.max(0, length - count), last: length - 1 });
      }),
    );
  });

  test("never leads outside of the content, whatever the header says", () => {
    const header = fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom(..."0123456789-,= bytes") }));
    fc.assert(
      fc.property(header, size, (text, length) => {
        const range = parseByteRange(text, length);
        return range.kind !== "part" || (range.first >= 0 && range.first <= range.last && range.last < length);
      }),
      { numRuns: 1000 },
    );
  });

  test.each([
    [undefined, "whole"],
    ["items=0-1", "whole"],
    ["bytes=0-1,4-5", "whole"],
    ["bytes=0-1, 2", "unsatisfiable"],
    ["bytes=", "unsatisfiable"],
    ["bytes=-", "unsatisfiable"],
    ["bytes=a-b", "unsatisfiable"],
    ["bytes=-0", "unsatisfiable"],
    ["bytes=99999999999999999999-", "unsatisfiable"],
    ["bytes=0-99999999999999999999", "part"],
  ])("%j of ten bytes is %s", (header, kind) => {
    expect(parseByteRange(header, 10).kind).toBe(kind);
  });
});

describe("the range of a chunk", () => {
  test("reads back as it was written", () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat(), (first, more) => {
        expect(parseChunkRange(`${first}-${first + more}`)).toEqual({ first, last: first + more });
      }),
    );
  });

  test.each(["", "5-4", "bytes 0-1/2", "0-", "-1", "0-1/2", "0x0-0x1", `0-${"9".repeat(16)}`])(
    "is not %j",
    (header) => {
      expect(parseChunkRange(header)).toBeUndefined();
    },
  );
});
