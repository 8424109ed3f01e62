import { expect, test } from "vitest";
import { holdResponse } from "../../src/forward/hold-response.ts";

const head = { statusCode: 200, headers: {} };

test.each(["passed on", "dropped as its client has gone", "dropped as the wait failed"])(
  "memory lent to a response that waits comes back: %s",
  async (how) => {
    const waited = Promise.withResolvers<void>();
    const received: string[] = [];
    const returned: string[] = [];
    const sink = holdResponse(
      {
        head: () => void received.push("head"),
        chunk(chunk, consumed) {
          received.push(chunk.toString());
          consumed?.();
          return true;
        },
        flush() {},
        end: () => void received.push("end"),
        failed: () => void received.push("failed"),
      },
      {
        until: () => waited.promise,
        rejected() {},
        resume() {},
        isGone: () => how.includes("gone"),
      },
    );
    sink.head(head);
    sink.chunk(Buffer.from("one"), () => void returned.push("one"));
    expect([received, returned]).toEqual([[], []]);
    if (how.includes("failed")) waited.reject(new Error("not recorded"));
    else waited.resolve();
    await expect.poll(() => returned).toEqual(["one"]);
    sink.chunk(Buffer.from("two"), () => void returned.push("two"));
    sink.end();
    expect(returned).toEqual(["one", "two"]);
    expect(received).toEqual(how === "passed on" ? ["head", "one", "two", "end"] : []);
  },
);
