import fc from "fast-check";
import { expect, test } from "vitest";
import { collectBody } from "../src/index.ts";

async function* chunksOf(parts: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* parts;
}

test("a body is the same, whatever chunks it comes in", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 3000 }), { maxLength: 12 }), async (parts) => {
      const whole = Buffer.concat(parts);
      expect(await collectBody(chunksOf(parts), whole.length)).toEqual(whole);
      if (whole.length > 0) expect(await collectBody(chunksOf(parts), whole.length - 1)).toBeUndefined();
    }),
  );
});

test("small chunks are kept in one piece of memory, and many of them are refused", async () => {
  async function* bytes(count: number): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < count; at++) yield new Uint8Array(1);
  }
  const body = await collectBody(bytes(1000), 65_536);
  expect(body).toHaveLength(1000);
  expect(body?.buffer.byteLength).toBeLessThanOrEqual(65_536);
  expect(await collectBody(bytes(1001), 65_536)).toBeUndefined();
});

test("leaves the rest of a body that is too long unread", async () => {
  let read = 0;
  async function* endless(): AsyncGenerator<Uint8Array> {
    for (;;) {
      read++;
      yield new Uint8Array(1000);
    }
  }
  expect(await collectBody(endless(), 65_536)).toBeUndefined();
  expect(read).toBe(66);
});
