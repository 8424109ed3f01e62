import { parseDuration } from "@registry-gate/auth";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

describe("a duration", () => {
  it.each([
    ["0s", 0],
    ["1ms", 1],
    ["500ms", 500],
    ["30s", 30_000],
    ["15m", 900_000],
    ["1.5h", 5_400_000],
    ["900s", 900_000],
    [0, 0],
    [250, 250],
    [2 ** 31 - 1, 2 ** 31 - 1],
  ])("%s is %d milliseconds", (duration, milliseconds) => {
    expect(parseDuration(duration)).toBe(milliseconds);
  });

  it.each([
    ...["", "30", "s", "-1s", "+1s", "1 s", " 1s", "1S", "1d", "1e3s", "25000h", "1s1", "½s"],
    ...[-1, 0.5, 2 ** 31, Number.NaN, Number.POSITIVE_INFINITY],
  ])("%j is none", (duration) => {
    expect(parseDuration(duration)).toBeUndefined();
  });

  it("is whole and within a timer's reach, whatever the text", () => {
    const text = fc.oneof(fc.string(), fc.stringMatching(/^\d{1,12}(\.\d{1,5})?(ms|s|m|h|d)$/), fc.double());
    fc.assert(
      fc.property(text, (text) => {
        const milliseconds = parseDuration(text);
        if (milliseconds === undefined) return;
        expect(Number.isInteger(milliseconds)).toBe(true);
        expect(milliseconds).toBeGreaterThanOrEqual(0);
        expect(milliseconds).toBeLessThan(2 ** 31);
      }),
    );
  });
});
