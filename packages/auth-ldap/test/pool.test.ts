import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createPool, type Pool, type PoolOptions } from "../src/directory/pool.ts";
import { DirectoryError } from "../src/directory-error.ts";
import type { Session } from "../src/protocol/session.ts";
import { type ScriptedSession, scriptedSession } from "./scripted-session.ts";

const client = "192.0.2.1";
const caller = { client, signal: new AbortController().signal };

interface Fixture {
  readonly pool: Pool;
  readonly opened: ScriptedSession[];
}

function poolWith(options: Partial<PoolOptions> = {}): Fixture {
  const opened: ScriptedSession[] = [];
  const pool = createPool({
    size: 2,
    idle: 60_000,
    maxWaiting: 10,
    waitTimeout: 5000,
    preferred: () => true,
    async open() {
      const session = scriptedSession();
      opened.push(session);
      return session;
    },
    ...options,
  });
  return { pool, opened };
}

/** Work that lasts until it is told to end. */
function heldUse(pool: Pool): { readonly done: Promise<Session>; release(): void; fail(error: Error): void } {
  const held = Promise.withResolvers<void>();
  const done = pool.use(caller, async (session) => {
    await held.promise;
    return session;
  });
  return { done, release: () => held.resolve(), fail: held.reject };
}

const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
};

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe("a pool", () => {
  it("opens a connection when it is needed, and uses it again", async () => {
    const { pool, opened } = poolWith();
    expect(opened).toHaveLength(0);
    const first = await pool.use(caller, async (session) => session);
    const second = await pool.use(caller, async (session) => session);
    expect(second).toBe(first);
    expect(opened).toHaveLength(1);
  });

  it("gives a connection to one at a time, has no more than its size, and serves those who wait in their order", async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 4 }), fc.array(fc.nat(3), { maxLength: 20 }), async (size, turns) => {
        const { pool, opened } = poolWith({ size, maxWaiting: 100 });
        const busy = new Set<Session>();
        const served: number[] = [];
        const uses = turns.map((length, index) =>
          pool.use(caller, async (session) => {
            served.push(index);
            expect(busy.has(session)).toBe(false);
            busy.add(session);
            for (let turn = 0; turn < length; turn++) await Promise.resolve();
            busy.delete(session);
          }),
        );
        await Promise.all(uses);
        expect(served).toEqual(turns.map((_, index) => index));
        expect(opened.length).toBeLessThanOrEqual(size);
      }),
    );
  });

  it("lets only so many wait, and only so long", async () => {
    const { pool } = poolWith({ size: 1, maxWaiting: 1 });
    const first = heldUse(pool);
    const waiting = pool.use(caller, async () => "served");
    const late = expect(waiting).rejects.toThrow("no connection was free within 5000 ms");
    await expect(pool.use(caller, async () => "served")).rejects.toThrow("1 logins are waiting already");
    await vi.advanceTimersByTimeAsync(4999);
    await vi.advanceTimersByTimeAsync(1);
    await late;
    first.release();
    await first.done;
    expect(await pool.use(caller, async () => "served")).toBe("served");
  });

  it("serves clients in turn: one that has many waiters delays another by one turn", async () => {
    const { pool } = poolWith({ size: 1, maxWaiting: 100 });
    const served: string[] = [];
    const use = (address: string): Promise<void> =>
      pool.use({ client: address, signal: caller.signal }, async () => {
        served.push(address);
      });
    await Promise.all([...Array.from({ length: 50 }, () => use("192.0.2.1")), use("198.51.100.4")]);
    expect(served.slice(0, 3)).toEqual(["192.0.2.1", "192.0.2.1", "198.51.100.4"]);
  });

  it("lets the client with the most waiters lose where too many wait, not a newcomer", async () => {
    const { pool } = poolWith({ size: 1, maxWaiting: 2 });
    const first = heldUse(pool);
    await settle();
    const flood = [1, 2].map(() => pool.use(caller, async () => "served"));
    const newcomer = pool.use({ client: "198.51.100.4", signal: caller.signal }, async () => "served");
    first.release();
    expect(await newcomer).toBe("served");
    const outcomes = await Promise.allSettled(flood);
    expect(outcomes).toMatchObject([{ value: "served" }, { reason: { kind: "crowded" } }]);
  });

  it("drops a waiter that aborts, and serves the next one", async () => {
    const { pool } = poolWith({ size: 1 });
    const first = heldUse(pool);
    const leaving = new AbortController();
    const left = expect(pool.use({ client, signal: leaving.signal }, async () => "served")).rejects.toThrow(
      "the request was aborted",
    );
    const staying = pool.use(caller, async () => "served");
    leaving.abort();
    await left;
    first.release();
    expect(await staying).toBe("served");
  });

  it("does not use a connection again that has ended, or is of no more use", async () => {
    const { pool, opened } = poolWith();
    await pool.use(caller, async () => {});
    opened[0]?.end();
    await pool.use(caller, async () => {});
    expect(opened).toHaveLength(2);
    await pool.use(caller, async (session) => session.close());
    await pool.use(caller, async () => {});
    expect(opened).toHaveLength(3);
  });

  it("lets somebody who waits open a connection in the place of one that ended", async () => {
    const { pool, opened } = poolWith({ size: 1 });
    const first = heldUse(pool);
    const next = pool.use(caller, async (session) => session);
    await settle();
    opened[0]?.close();
    first.release();
    await first.done;
    expect(await next).toBe(opened[1]);
  });

  it("keeps a connection whose use has failed, as long as it is sound", async () => {
    const { pool, opened } = poolWith();
    const failing = pool.use(caller, async () => {
      throw new DirectoryError("result", "busy");
    });
    await expect(failing).rejects.toThrow("busy");
    await pool.use(caller, async () => {});
    expect(opened).toHaveLength(1);
  });

  it("gives up a connection to a server that is no longer the preferred one", async () => {
    let preferred = true;
    const { pool, opened } = poolWith({ preferred: () => preferred });
    const held = heldUse(pool);
    await settle();
    preferred = false;
    held.release();
    await held.done;
    expect(opened[0]?.closed).toBe(true);
    preferred = true;
    await pool.use(caller, async () => {});
    preferred = false;
    await pool.use(caller, async () => {});
    expect(opened.map(({ closed }) => closed)).toEqual([true, true, true]);
  });

  it("closes a connection after so long without use, and no earlier", async () => {
    const { pool, opened } = poolWith({ idle: 1000 });
    const held = [heldUse(pool), heldUse(pool)];
    await settle();
    held[0]?.release();
    await held[0]?.done;
    await vi.advanceTimersByTimeAsync(600);
    held[1]?.release();
    await held[1]?.done;
    await vi.advanceTimersByTimeAsync(399);
    expect(opened.map(({ closed }) => closed)).toEqual([false, false]);
    await vi.advanceTimersByTimeAsync(2);
    expect(opened.map(({ closed }) => closed)).toEqual([true, false]);
    await vi.advanceTimersByTimeAsync(597);
    expect(opened[1]?.closed).toBe(false);
    await vi.advanceTimersByTimeAsync(3);
    expect(opened[1]?.closed).toBe(true);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("does not close one that is used again and again", async () => {
    const { pool, opened } = poolWith({ idle: 1000 });
    for (let use = 0; use < 10; use++) {
      await pool.use(caller, async () => {});
      await vi.advanceTimersByTimeAsync(700);
    }
    expect(opened.map(({ closed }) => closed)).toEqual([false]);
  });

  it("counts a connection that could not be opened no longer", async () => {
    let works = false;
    const { pool } = poolWith({
      size: 1,
      async open() {
        if (!works) throw new DirectoryError("connect", "connection refused");
        return scriptedSession();
      },
    });
    const outcomes = await Promise.allSettled([1, 2, 3].map(() => pool.use(caller, async () => {})));
    expect(outcomes.map(({ status }) => status)).toEqual(["rejected", "rejected", "rejected"]);
    works = true;
    expect(await pool.use(caller, async () => "served")).toBe("served");
  });

  it("turns everybody away when it is closed, and leaves nothing open", async () => {
    const { pool, opened } = poolWith({ size: 2 });
    const [held, free] = [heldUse(pool), heldUse(pool)];
    const waiting = expect(pool.use(caller, async () => {})).rejects.toThrow("the backend is closed");
    await settle();
    pool.close();
    await waiting;
    held.release();
    free.release();
    await Promise.all([held.done, free.done]);
    await expect(pool.use(caller, async () => {})).rejects.toThrow("the backend is closed");
    expect(opened.map(({ closed }) => closed)).toEqual([true, true]);
    expect(vi.getTimerCount()).toBe(0);
  });
});
