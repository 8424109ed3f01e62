import { readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { InvalidOptionsError } from "@registry-gate/auth";
import { silentLog } from "@registry-gate/auth-kit";
import { type DurableQueue, inspectQueue, openQueue, sqliteState } from "@registry-gate/state";
import { describe, expect, onTestFinished, test } from "vitest";
import { recordingLog } from "../../../test/support/recording-log.ts";
import { scratchDirectory } from "./scratch-directory.ts";

async function open(file: string): Promise<DurableQueue> {
  const queue = await openQueue({ file, log: silentLog });
  onTestFinished(() => queue.close());
  return queue;
}

async function scratchFile(): Promise<string> {
  return join(await scratchDirectory(), "queue.db");
}

/** Takes everything out of a lane. */
async function drain(queue: DurableQueue, lane: string): Promise<readonly string[]> {
  const values: string[] = [];
  for (let item = await queue.first(lane); item !== undefined; item = await queue.first(lane)) {
    values.push(item.value);
    await queue.remove(lane, item);
  }
  return values;
}

describe("a durable queue", () => {
  test("gives each lane's items in the order in which they came", async () => {
    const queue = await open(await scratchFile());
    for (const value of ["1", "2", "3"]) {
      await queue.push("a", `a${value}`, 10);
      await queue.push("b", `b${value}`, 10);
    }
    expect(await queue.length("a")).toBe(3);
    expect(await drain(queue, "a")).toEqual(["a1", "a2", "a3"]);
    expect(await drain(queue, "b")).toEqual(["b1", "b2", "b3"]);
    expect(await queue.length("a")).toBe(0);
    expect(await queue.first("a")).toBeUndefined();
  });

  test("keeps items for the next process that opens its file, whose mode lets no other user read it", async () => {
    const file = await scratchFile();
    const first = await openQueue({ file, log: silentLog });
    await first.push("a", "value", 10);
    first.close();
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(await drain(await open(file), "a")).toEqual(["value"]);
  });

  test("drops the oldest items of a lane that is full, and of no other, and says how many", async () => {
    const queue = await open(await scratchFile());
    await queue.push("b", "b", 2);
    expect(await queue.push("a", "1", 2)).toEqual({ length: 1, dropped: 0 });
    expect(await queue.push("a", "2", 2)).toEqual({ length: 2, dropped: 0 });
    expect(await queue.push("a", "3", 2)).toEqual({ length: 2, dropped: 1 });
    // As after a change of the configuration.
    expect(await queue.push("a", "4", 1)).toEqual({ length: 1, dropped: 2 });
    expect(await drain(queue, "a")).toEqual(["4"]);
    expect(await drain(queue, "b")).toEqual(["b"]);
  });

  test("never gives a number twice: who removes late what another has removed takes nothing else away", async () => {
    const file = await scratchFile();
    const [one, other] = [await open(file), await open(file)];
    await one.push("a", "first", 10);
    const item = await one.first("a");
    expect(await drain(other, "a")).toEqual(["first"]);
    await other.push("a", "second", 10);
    if (item !== undefined) await one.remove("a", item);
    expect(await drain(one, "a")).toEqual(["second"]);
  });

  test("drops what has waited for long in lanes that nobody names", async () => {
    const queue = await open(await scratchFile());
    await queue.push("kept", "value", 10);
    await queue.push("abandoned", "value", 10);
    expect(await queue.dropAbandoned(["kept"], 60_000)).toBe(0);
    expect(await queue.dropAbandoned(["kept"], -1)).toBe(1);
    expect([await queue.length("kept"), await queue.length("abandoned")]).toEqual([1, 0]);
  });

  test("warns of a file that other users can read", async () => {
    const file = await scratchFile();
    await writeFile(file, "", { mode: 0o644 });
    const { log, lines } = recordingLog();
    (await openQueue({ file, log })).close();
    expect(JSON.stringify(lines)).toContain("other users of this machine");
  });

  test("does not take another file for its own, and leaves it as it is", async () => {
    const file = await scratchFile();
    await (await sqliteState({ file })).close();
    const before = await readFile(file);
    const another = await openQueue({ file, log: silentLog }).catch((error: unknown) => error);
    expect(another).toBeInstanceOf(InvalidOptionsError);
    expect(another).toMatchObject({ message: expect.stringContaining("is a database of another program") });
    expect(await readFile(file)).toEqual(before);
  });

  test("makes no file where it is only inspected", async () => {
    const file = await scratchFile();
    await inspectQueue({ file });
    await expect(stat(file)).rejects.toThrow("ENOENT");
    await expect(inspectQueue({ file: join(file, "missing", "queue.db") })).rejects.toThrow("file: ");
  });
});
