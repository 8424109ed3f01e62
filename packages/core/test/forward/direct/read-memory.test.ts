import fc from "fast-check";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { type BufferPool, bufferPool } from "../../../src/forward/direct/buffer-pool.ts";
import { type ReadMemory, readMemory, sharedSize } from "../../../src/forward/direct/read-memory.ts";

const large = 65_536;
const shared = Buffer.alloc(sharedSize);
/** How often a connection was told that it may be read again. */
let returned = 0;

function memoryOf(pool: BufferPool, inRecords = false): ReadMemory {
  return readMemory({ pool, shared, inRecords, returned: () => returned++ });
}

/** Lends as many buffers as `count`, all of one size. */
function poolOf(count: number, size = large): BufferPool {
  let left = count;
  const pool = bufferPool({ budget: 1000 * size, largest: size, smallest: size, maxKept: 4 * size });
  return {
    offers: () => (left > 0 ? size : 0),
    take: () => (left > 0 && left-- > 0 ? pool.take() : undefined),
    give(buffer) {
      left++;
      pool.give(buffer);
    },
    lose(buffer) {
      left++;
      pool.lose(buffer);
    },
  };
}

/** Reads as much as the small memory takes: what comes next is read into a large buffer. */
function fillSmall(memory: ReadMemory): void {
  memory.advance(memory.next().length, false);
}

describe("the memory of a connection", () => {
  test("is shared with others until a response fills it, and shared again when the connection is idle", () => {
    const memory = memoryOf(poolOf(16));
    expect(memory.next()).toBe(shared);
    memory.advance(shared.length - 1, false);
    expect(memory.next()).toBe(shared);
    fillSmall(memory);
    expect(memory.next().length).toBe(large);
    memory.advance(1, true);
    expect(memory.next()).toBe(shared);
  });

  test("is copied where others read into the same", () => {
    const memory = memoryOf(poolOf(16));
    const read = memory.next().subarray(0, 3);
    read.write("abc");
    const { chunk, consumed } = memory.lend(read);
    read.fill("!");
    expect([chunk.toString(), consumed]).toEqual(["abc", undefined]);
    // The bytes of others would be held with it.
    expect(chunk.buffer.byteLength).toBe(3);
  });

  test("is copied where it is short", () => {
    const memory = memoryOf(poolOf(16));
    fillSmall(memory);
    const read = memory.next().subarray(0, 3);
    expect(memory.lend(read).consumed).toBeUndefined();
    expect(memory.isLent()).toBe(false);
  });

  test("is left to the collector after an error", () => {
    const pool = poolOf(16);
    const memory = memoryOf(pool);
    fillSmall(memory);
    const lent = memory.next();
    memory.lend(lent).consumed?.(new Error("destroyed"));
    memory.advance(large, true);
    expect(pool.take()).not.toBe(lent);
  });

  test("is one buffer, into which nothing is read while it is lent", () => {
    const pool = poolOf(16);
    const memory = memoryOf(pool);
    fillSmall(memory);
    const before = returned;
    const lent = memory.next();
    const { consumed } = memory.lend(lent);
    memory.advance(large, false);
    expect([memory.next(), memory.isLent(), returned - before]).toEqual([lent, true, 0]);
    consumed?.();
    expect([memory.isLent(), returned - before]).toEqual([false, 1]);
    expect(pool.take()).not.toBe(lent);
  });

  test("is filled by one record of TLS after the other", () => {
    const memory = memoryOf(poolOf(16, 4 * large), true);
    fillSmall(memory);
    const first = memory.next().subarray(0, 16_384);
    memory.lend(first);
    memory.advance(first.length, false);
    const second = memory.next();
    expect([second.buffer === first.buffer, second.byteOffset]).toEqual([true, 16_384]);
    expect(memory.isLent()).toBe(false);
  });

  test("is a short part of what is shared where the pool is exhausted, whose chunks are freed when they are written", () => {
    const pool = poolOf(1);
    const [one, other] = [memoryOf(pool), memoryOf(pool)];
    fillSmall(one);
    fillSmall(other);
    expect([one.next().length, other.next().length, other.next().buffer === shared.buffer]).toEqual([
      large,
      8192,
      true,
    ]);
    const { chunk, consumed } = other.lend(other.next());
    expect(chunk.length).toBe(8192);
    consumed?.();
    expect(chunk.length).toBe(0);
    one.advance(1, true);
    fillSmall(other);
    expect(other.next().length).toBe(large);
  });

  test("is small again for a slow client, until the connection is idle", () => {
    vi.useFakeTimers({ toFake: ["performance"] });
    onTestFinished(() => void vi.useRealTimers());
    const pool = poolOf(1);
    const memory = memoryOf(pool);
    const readLarge = (): ((error?: Error) => void) | undefined => {
      const { consumed } = memory.lend(memory.next());
      memory.advance(large, false);
      return consumed;
    };
    fillSmall(memory);
    const consume = readLarge();
    vi.advanceTimersByTime(1001);
    consume?.();
    const consumeLast = readLarge();
    expect(memory.next().length).toBe(8192);
    expect(memory.isLent()).toBe(false);
    expect(pool.take()).toBeUndefined();
    consumeLast?.();
    expect(pool.take()?.length).toBe(large);
    fillSmall(memory);
    expect(memory.next().length).toBe(8192);
    memory.advance(1, true);
    expect(memory.next()).toBe(shared);
  });

  test("becomes larger when others need less", () => {
    const pool = bufferPool({ budget: 17 * large, largest: large, smallest: large / 4, maxKept: large });
    const memories = Array.from({ length: 4 }, () => memoryOf(pool));
    for (const memory of memories) fillSmall(memory);
    const last = memories.at(-1);
    expect(last?.next().length).toBe(large / 2);
    for (const memory of memories.slice(0, 3)) memory.advance(1, true);
    last?.advance(1, false);
    expect(last?.next().length).toBe(large);
  });
});

describe("a pool", () => {
  const limits = { budget: 32 * large, largest: large, smallest: large / 4, maxKept: large };

  test("lends ever smaller buffers, and no more than its budget", () => {
    const pool = bufferPool(limits);
    const sizes: number[] = [];
    for (let offered = pool.offers(); offered > 0; offered = pool.offers()) {
      sizes.push(pool.take()?.length ?? 0);
      expect(sizes.at(-1)).toBe(offered);
    }
    expect(pool.take()).toBeUndefined();
    expect(sizes).toEqual(sizes.toSorted((one, other) => other - one));
    expect([sizes[0], sizes.at(-1)]).toEqual([large, large / 4]);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(limits.budget);
  });

  test("lends the same buffers again, and keeps few when none is lent", () => {
    const pool = bufferPool(limits);
    const [one, other] = [pool.take(), pool.take()];
    if (one === undefined || other === undefined) throw new Error("no memory");
    expect(one).not.toBe(other);
    pool.give(one);
    expect(pool.take()).toBe(one);
    pool.give(one);
    pool.give(other);
    const again = [pool.take(), pool.take()];
    expect(again.filter((buffer) => buffer === one || buffer === other)).toHaveLength(1);
  });

  test("has no more than its budget, with what it keeps", () => {
    const pool = bufferPool({ budget: 32 * large, largest: large, smallest: large, maxKept: 32 * large });
    const [one, other] = [pool.take(), pool.take()];
    if (one === undefined || other === undefined) throw new Error("no memory");
    const seen = new Set([one, other]);
    pool.give(one);
    for (let count = 0; count < 1000; count++) {
      const buffer = pool.take();
      if (buffer === undefined) throw new Error("no memory");
      seen.add(buffer);
      pool.give(buffer);
    }
    expect(seen.size).toBe(2);
  });

  test("lends in place of what was lost", () => {
    const pool = bufferPool({ ...limits, budget: 16 * large });
    const lost = pool.take();
    if (lost === undefined) throw new Error("no memory");
    expect(pool.offers()).toBe(large / 2);
    pool.lose(lost);
    expect(pool.take()?.length).toBe(large);
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
      const pool = bufferPool({ budget: 40 * large, largest: large, smallest: large / 4, maxKept: 3 * large });
      const memories = [memoryOf(pool), memoryOf(pool, inRecords), memoryOf(pool, inRecords)];
      const lent: { chunk: Buffer; mark: number; consumed: ((error?: Error) => void) | undefined }[] = [];
      let mark = 0;
      for (const step of steps) {
        if (step.kind === "take") {
          const [loan] = lent.splice(step.which % Math.max(1, lent.length), 1);
          loan?.consumed?.(...(step.failed ? [new Error("destroyed")] : []));
        } else {
          const memory = memories[step.by];
          // A connection reads nothing into what is lent.
          if (memory === undefined || (step.kind === "read" && memory.isLent())) continue;
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
          if (chunk.length > 0 && (chunk[0] !== mark || chunk.at(-1) !== mark)) throw new Error("overwritten");
        }
      }
    }),
    { numRuns: 500 },
  );
});
