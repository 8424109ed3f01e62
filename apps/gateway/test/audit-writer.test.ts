import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { setTimeout as delay } from "node:timers/promises";
import { silentLog } from "@registry-gate/auth-kit";
import { describe, expect, onTestFinished, test } from "vitest";
import type { AuditEvent } from "../src/audit/audit-event.ts";
import { auditWriter } from "../src/audit/audit-writer.ts";
import { AppendError, type LineDestination } from "../src/audit/line-destination.ts";

const options = { retryDelay: 20, syncDelay: 20 };

function event(id: string): AuditEvent {
  return { id, time: "2026-11-28T04:00:00.000Z", event: "push", outcome: "completed" };
}

/** A destination that does as `append` says, and counts. */
function scripted(append: (ids: readonly string[]) => Promise<void> = async () => {}) {
  const written: string[] = [];
  let syncs = 0;
  const destination: LineDestination = {
    async append(lines) {
      const ids = lines.map((line) => line.event.id);
      try {
        await append(ids);
      } catch (error) {
        if (error instanceof AppendError) written.push(...ids.slice(0, error.taken));
        throw error;
      }
      written.push(...ids);
    },
    async sync() {
      syncs++;
    },
    reopen() {},
    close: async () => {},
  };
  return { destination, written, syncs: () => syncs };
}

function published(channel: string): object[] {
  const seen: object[] = [];
  const listener = (message: unknown): void => void seen.push(Object(message));
  subscribe(channel, listener);
  onTestFinished(() => void unsubscribe(channel, listener));
  return seen;
}

const failures = (): object[] => published("registry-gate:audit:failure");

describe("auditWriter", () => {
  test("resolves when the destination has the line, and keeps the order", async () => {
    const gate = Promise.withResolvers<void>();
    const { destination, written } = scripted(() => gate.promise);
    const writer = auditWriter(destination, silentLog, options);
    let resolved = false;
    const first = writer.write(event("1")).then(() => {
      resolved = true;
    });
    const others = ["2", "3"].map((id) => writer.write(event(id)));
    await delay(10);
    expect({ resolved, written }).toEqual({ resolved: false, written: [] });
    gate.resolve();
    await Promise.all([first, ...others]);
    expect(written).toEqual(["1", "2", "3"]);
  });

  test("syncs once for many lines", async () => {
    const { destination, syncs } = scripted();
    const writer = auditWriter(destination, silentLog, { syncDelay: 100 });
    for (let id = 0; id < 50; id++) await writer.write(event(String(id)));
    await expect.poll(syncs).toBeGreaterThan(0);
    await delay(150);
    expect(syncs()).toBeLessThan(10);
  });

  test("keeps what was not written, tells those who wait, and writes it once when it can", async () => {
    let broken = true;
    const { destination, written } = scripted(async () => {
      if (broken) throw new AppendError("ENOSPC", 1);
    });
    const seen = failures();
    const writer = auditWriter(destination, silentLog, options);
    const results = await Promise.allSettled(["1", "2", "3"].map((id) => writer.write(event(id))));
    expect(results.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "rejected"]);
    expect(writer.failure).toBe("ENOSPC");
    await expect(writer.write(event("4"))).rejects.toThrow("the audit cannot be written: ENOSPC");
    broken = false;
    await expect.poll(() => writer.failure).toBeUndefined();
    await writer.write(event("5"));
    expect(written).toEqual(["1", "2", "3", "4", "5"]);
    expect(seen.at(0)).toMatchObject({ state: "failing", reason: "ENOSPC", lost: 0 });
    expect(seen.at(-1)).toMatchObject({ state: "recovered", waiting: 0, lost: 0 });
  });

  test("does not take a sync that goes well for an audit that can be written", async () => {
    let broken = false;
    const { destination, written, syncs } = scripted(async () => {
      if (broken) throw new AppendError("ENOSPC", 0);
    });
    const writer = auditWriter(destination, silentLog, { syncDelay: 20, retryDelay: 10_000 });
    await writer.write(event("1"));
    broken = true;
    await expect(writer.write(event("2"))).rejects.toThrow("ENOSPC");
    await delay(100);
    expect({ failure: writer.failure, syncs: syncs(), written }).toEqual({
      failure: "ENOSPC",
      syncs: 0,
      written: ["1"],
    });
  });

  test("counts and reports events beyond its capacity", async () => {
    const gate = Promise.withResolvers<void>();
    const { destination, written } = scripted(() => gate.promise);
    const seen = failures();
    const size = `${JSON.stringify(event("1"))}\n`.length;
    const writer = auditWriter(destination, silentLog, { ...options, capacity: 2 * size });
    const kept = ["1", "2"].map((id) => writer.write(event(id)));
    await expect(writer.write(event("3"))).rejects.toThrow("too many events wait");
    expect(seen.at(-1)).toMatchObject({ state: "lost", lost: 1, count: 1, waiting: 2 });
    gate.resolve();
    await Promise.all(kept);
    await writer.write(event("4"));
    expect(written).toEqual(["1", "2", "4"]);
  });

  test("lets nobody wait for a disk that hangs", async () => {
    const gate = Promise.withResolvers<void>();
    const { destination, written } = scripted(() => gate.promise);
    const writer = auditWriter(destination, silentLog, { ...options, patience: 30 });
    await expect(writer.write(event("1"))).rejects.toThrow("ETIMEDOUT");
    await expect(writer.write(event("2"))).rejects.toThrow("ETIMEDOUT");
    gate.resolve();
    await expect.poll(() => writer.failure).toBeUndefined();
    expect(written).toEqual(["1", "2"]);
  });

  test("writes and syncs what it has before it closes, and takes nothing afterwards", async () => {
    const { destination, written, syncs } = scripted(() => delay(10));
    const writer = auditWriter(destination, silentLog, { syncDelay: 10_000 });
    const waiting = ["1", "2"].map((id) => writer.write(event(id)));
    await writer.close(5000);
    await Promise.all(waiting);
    expect({ written, syncs: syncs() }).toEqual({ written: ["1", "2"], syncs: 1 });
    await expect(writer.write(event("3"))).rejects.toThrow();
  });

  test("does not wait longer for its end than it is told, and counts what is lost", async () => {
    const { destination } = scripted(() => new Promise(() => {}));
    const seen = failures();
    const writer = auditWriter(destination, silentLog, options);
    writer.write(event("1")).catch(() => {});
    await writer.close(50);
    expect(seen.at(-1)).toMatchObject({ state: "lost", lost: 1, count: 1 });
  });

  test("publishes how many events were written, each of them once", async () => {
    const seen = published("registry-gate:audit:written");
    let attempts = 0;
    const { destination } = scripted(async () => {
      if (++attempts === 1) throw new AppendError("ENOSPC", 1);
    });
    const writer = auditWriter(destination, silentLog, options);
    const results = ["1", "2", "3"].map((id) => writer.write(event(id)).catch(() => {}));
    await Promise.all(results);
    await expect.poll(() => writer.failure).toBeUndefined();
    expect(seen).toEqual([{ count: 1 }, { count: 2 }]);
  });

  test("publishes that a failing audit is given up, so that nobody takes it for one in use", async () => {
    const seen = failures();
    const { destination } = scripted(() => Promise.reject(new AppendError("ENOSPC", 0)));
    const writer = auditWriter(destination, silentLog, options);
    await writer.write(event("1")).catch(() => {});
    await writer.close(50);
    expect(seen.slice(-2)).toMatchObject([
      { state: "lost", count: 1 },
      { state: "abandoned", reason: "ENOSPC", count: 0 },
    ]);
  });
});
