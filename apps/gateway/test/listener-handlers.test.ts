import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { limitReports } from "../src/process/listener-handlers.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test("reports so many a second, and how many were left out", () => {
  const reported: number[] = [];
  const leftOut: number[] = [];
  const report = limitReports<number>(
    3,
    (item) => reported.push(item),
    (count) => leftOut.push(count),
  );
  for (let item = 1; item <= 10; item++) report(item);
  expect(reported).toEqual([1, 2, 3]);
  vi.advanceTimersByTime(1000);
  expect(leftOut).toEqual([7]);

  for (let item = 11; item <= 13; item++) report(item);
  vi.advanceTimersByTime(1000);
  expect(reported).toEqual([1, 2, 3, 11, 12, 13]);
  expect(leftOut).toEqual([7]);

  vi.advanceTimersByTime(10_000);
  for (let item = 14; item <= 17; item++) report(item);
  vi.advanceTimersByTime(1000);
  expect(reported.slice(6)).toEqual([14, 15, 16]);
  expect(leftOut).toEqual([7, 1]);
});
