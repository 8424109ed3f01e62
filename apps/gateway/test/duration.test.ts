import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseDuration } from "../src/config/duration.ts";

describe("a duration", () => {
  test.each([
    ["1ms", 1],
    ["500ms", 500],
    ["30s", 30_000],
    ["15m", 900_000],
    ["1.5h", 5_400_000],
    ["900s", 900_000],
  ])("%s is %d milliseconds", (text, milliseconds) => {
    expect(parseDuration(text)).toBe(milliseconds);
  });

  test.each(["", "30", "s", "0s", "0.1ms", "-1s", "+1s", "1 s", " 1s", "1S", "1d", "1e3s", "25000h", "1s1", "½s"])(
    "%j is none",
    (text) => {
      expect(parseDuration(text)).toBeUndefined();
    },
  );

  test("is whole, above zero and within a timer's reach, whatever the text", () => {
    const text = fc.oneof(fc.string(), fc.stringMatching(/^\d{1,12}(\.\d{1,5})?(ms|s|m|h|d)$/));
    fc.assert(
      fc.property(text, (text) => {
        const milliseconds = parseDuration(text);
        if (milliseconds === undefined) return;
        expect(Number.isInteger(milliseconds)).toBe(true);
        expect(milliseconds).toBeGreaterThan(0);
        expect(milliseconds).toBeLessThan(2 ** 31);
      }),
    );
  });
});
