import { Socket } from "node:net";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { rateWatch, type WatchedRequest } from "../../src/limits/rate-watch.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A request whose client moves so many bytes a second. */
function requestOf(direction: "upload" | undefined, rate: number) {
  const cut = vi.fn();
  const begun = performance.now();
  const state = { direction, rate };
  const request: WatchedRequest = {
    socket: new Socket(),
    waitsForClient: () => state.direction,
    moved: () => ((performance.now() - begun) / 1000) * state.rate,
    cut,
  };
  return { request, cut, state };
}

describe("a client that sends a body", () => {
  test.each([
    [0, true],
    [500, true],
    [1000, false],
    [1024, false],
    [100_000, false],
  ])("is aborted at %d bytes a second: %j", async (rate, isCut) => {
    const watch = rateWatch(1024);
    const { request, cut } = requestOf("upload", rate);
    watch.add(request);
    await vi.advanceTimersByTimeAsync(300_000);
    expect(cut.mock.calls.length > 0).toBe(isCut);
    watch.close();
  });

  test("is aborted only after the window", async () => {
    const watch = rateWatch(1024);
    const { request, cut } = requestOf("upload", 10);
    watch.add(request);
    await vi.advanceTimersByTimeAsync(59_000);
    expect(cut).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(61_000);
    expect(cut).toHaveBeenCalled();
    watch.close();
  });

  test("is not aborted while the registry does not read", async () => {
    const watch = rateWatch(1024);
    const { request, cut, state } = requestOf("upload", 0);
    watch.add(request);
    state.direction = undefined;
    await vi.advanceTimersByTimeAsync(3_600_000);
    expect(cut).not.toHaveBeenCalled();
    watch.close();
  });

  test("is not aborted after the request, or without a limit", async () => {
    const watch = rateWatch(1024);
    const unlimited = rateWatch(0);
    const [over, free] = [requestOf("upload", 0), requestOf("upload", 0)];
    const watching = watch.add(over.request);
    unlimited.add(free.request);
    watch.remove(watching);
    await vi.advanceTimersByTimeAsync(3_600_000);
    expect([over.cut.mock.calls, free.cut.mock.calls]).toEqual([[], []]);
    watch.close();
    unlimited.close();
  });
});
