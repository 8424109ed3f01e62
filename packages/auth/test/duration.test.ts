import { parseDuration, timerDelay } from "@registry-gate/auth";
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
    ["30d", 2_592_000_000],
    ["25000h", 90_000_000_000],
    ["36525d", 3_155_760_000_000],
    [0, 0],
    [250, 250],
    [2 ** 31, 2 ** 31],
  ])("%s is %d milliseconds", (duration, milliseconds) => {
    expect(parseDuration(duration)).toBe(milliseconds);
  });

  it.each([
    ...["", "30", "s", "-1s", "+1s", "1 s", " 1s", "1S", "1D", "1w", "1e3s", "36526d", "999999999d", "1s1", "½s"],
    ...[-1, 0.5, 2 ** 53, Number.NaN, Number.POSITIVE_INFINITY],
  ])("%j is none", (duration) => {
    expect(parseDuration(duration)).toBeUndefined();
  });

  it("is whole and at most a hundred years, whatever the text", () => {
    const text = fc.oneof(fc.string(), fc.stringMatching(/^\d{1,12}(\.\d{1,5})?(ms|s|m|h|d)$/), fc.double());
    fc.assert(
      fc.property(text, (text) => {
        const milliseconds = parseDuration(text);
        if (milliseconds === undefined) return;
        expect(Number.isInteger(milliseconds)).toBe(true);
        expect(milliseconds).toBeGreaterThanOrEqual(0);
        expect(milliseconds).toBeLessThanOrEqual(36_525 * 86_400_000);
        expect(timerDelay(milliseconds)).toBeLessThan(2 ** 31);
      }),
    );
  });

  it.each([
    [0, 0],
    [250, 250],
    [2 ** 31 - 1, 2 ** 31 - 1],
    [2 ** 31, 2 ** 31 - 1],
    [2_592_000_000, 2 ** 31 - 1],
  ])("of %d ms delays a timer by %d ms", (milliseconds, delay) => {
    expect(timerDelay(milliseconds)).toBe(delay);
  });
});
