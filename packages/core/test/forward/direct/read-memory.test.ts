import fc from "fast-check";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { bufferPool } from "../../../src/forward/direct/buffer-pool.ts";
import { readMemory } from "../../../src/forward/direct/read-memory.ts";

const large = 65_536;

describe("memory", () => {
  test("is small until a response fills it, and small again when the connection is idle", () => {
    const memory = readMemory(bufferPool(large, { maxKept: 4, maxInUse: 16 }), false);
    const small = memory.next();
    memory.advance(small.length - 1, false);
    expect(memory.next()).toBe(small);
    memory.advance(small.length, false);
    expect(memory.next().length).toBe(large);
    memory.advance(1, true);
    expect(memory.next()).toBe(small);
  });

  test("is copied where it is short", () => {
    const memory = readMemory(bufferPool(large, { maxKept: 4, maxInUse: 16 }), false);
    const read = memory.next().subarray(0, 3);
    read.write("abc");
    const { chunk, consumed } = memory.lend(read);
    read.fill("!");
    expect([chunk.toString(), consumed]).toEqual(["abc", undefined]);
  });

  test("is left to the collector after an error", () => {
    const pool = bufferPool(large, { maxKept: 4, maxInUse: 16 });
    const memory = readMemory(pool, false);
    memory.advance(memory.next().length, false);
    const lent = memory.next();
    memory.lend(lent).consumed?.(new Error("destroyed"));
    memory.advance(large, true);
    expect(pool.take()).not.toBe(lent);
  });

  test("is reused by its connection where it was consumed before the next read", () => {
    const pool = bufferPool(large, { maxKept: 4, maxInUse: 16 });
    const memory = readMemory(pool, false);
    memory.advance(memory.next().length, false);
    const lent = memory.next();
    memory.lend(lent).consumed?.();
    expect(pool.take()).not.toBe(lent);
    memory.advance(large, false);
    expect(memory.next()).toBe(lent);
  });

  test("is filled by one record of TLS after the other", () => {
    const memory = readMemory(bufferPool(4 * large, { maxKept: 4, maxInUse: 16 }), true);
    memory.advance(memory.next().length, false);
    const first = memory.next().subarray(0, 16_384);
    memory.lend(first);
    memory.advance(first.length, false);
    const second = memory.next();
    expect([second.buffer === first.buffer, second.byteOffset]).toEqual([true, 16_384]);
  });

  test("stays small where the pool is exhausted", () => {
    const pool = bufferPool(large, { maxKept: 4, maxInUse: 1 });
    const [one, other] = [readMemory(pool, false), readMemory(pool, false)];
    const small = other.next();
    one.advance(small.length, false);
    other.advance(small.length, false);
    expect([one.next().length, other.next()]).toEqual([large, small]);
    one.advance(1, true);
    other.advance(small.length, false);
    expect(other.next().length).toBe(large);
  });

  test("is small again for a slow client, until the connection is idle", () => {
    vi.useFakeTimers({ toFake: ["performance"] });
    onTestFinished(() => void vi.useRealTimers());
    const memory = readMemory(bufferPool(large, { maxKept: 4, maxInUse: 16 }), false);
    const small = memory.next();
    const readLarge = (): ((error?: Error) => void) | undefined => {
      const { consumed } = memory.lend(memory.next());
      memory.advance(large, false);
      return consumed;
    };
    memory.advance(small.length, false);
    const consume = readLarge();
    expect(memory.next().length).toBe(large);
    vi.advanceTimersByTime(1001);
    consume?.();
    readLarge();
    expect(memory.next()).toBe(small);
    memory.advance(1, true);
    memory.advance(small.length, false);
    expect(memory.next().length).toBe(large);
  });

  test("is reused from the pool up to its maximum", () => {
    const pool = bufferPool(large, { maxKept: 1, maxInUse: 16 });
    const [one, other] = [pool.take(), pool.take()];
    if (one === undefined || other === undefined) throw new Error("no memory");
    expect(one).not.toBe(other);
    pool.give(one);
    pool.give(other);
    expect(pool.take()).toBe(one);
    expect(pool.take()).not.toBe(other);
  });
});

test("a lent buffer is never overwritten before it is consumed, for any connections and order", () => {
  const step = fc.oneof(
    fc.record({
      kind: fc.constant("read" as const),
      by: fc.nat(2),
      length: fc.integer({ min: 1, max: large }),
      atOnce: fc.boolean(),
    }),
    fc.record({ kind: fc.constant("take" as const), which: fc.nat(50), failed: fc.boolean() }),
    fc.record({ kind: fc.constant("rest" as const), by: fc.nat(2) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), fc.boolean(), (steps, inRecords) => {
      const pool = bufferPool(large, { maxKept: 3, maxInUse: 16 });
      const memories = [readMemory(pool, false), readMemory(pool, inRecords), readMemory(pool, inRecords)];
      const lent: { chunk: Buffer; mark: number; consumed: ((error?: Error) => void) | undefined }[] = [];
      let mark = 0;
      for (const step of steps) {
        if (step.kind === "take") {
          const [loan] = lent.splice(step.which % Math.max(1, lent.length), 1);
          loan?.consumed?.(...(step.failed ? [new Error("destroyed")] : []));
        } else {
          const memory = memories[step.by];
          if (memory === undefined) continue;
          const length = step.kind === "read" ? Math.min(step.length, memory.next().length) : 0;
          if (step.kind === "read") {
            mark = (mark + 1) % 256;
            const read = memory.next().subarray(0, length).fill(mark);
            const { chunk, consumed } = memory.lend(read);
            if (step.atOnce) consumed?.();
            else lent.push({ chunk, mark, consumed });
          }
          memory.advance(length, step.kind === "rest");
        }
        for (const { chunk, mark } of lent) {
          if (chunk[0] !== mark || chunk.at(-1) !== mark) throw new Error("overwritten");
        }
      }
    }),
    { numRuns: 500 },
  );
});
