import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdir, open, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { StateUnavailableError, sqliteState } from "@registry-gate/state";
import { describe, expect, onTestFinished, test } from "vitest";
import { recordingLog } from "../../../test/support/recording-log.ts";
import { scratchDirectory } from "./scratch-directory.ts";
import { stateContract } from "./state-contract.ts";

const hour = 3_600_000;

async function scratchFile(): Promise<string> {
  return join(await scratchDirectory(), "state.db");
}

describe("sqliteState", () => {
  stateContract(async (name) => sqliteState({ file: join(await scratchDirectory(), name) }));

  test("keeps entries for the next process that opens the file", async () => {
    const file = await scratchFile();
    const first = await sqliteState({ file });
    await first.set("key", "value", hour);
    await first.close();
    const second = await sqliteState({ file });
    onTestFinished(() => second.close());
    expect(await second.get("key")).toBe("value");
  });

  test("opens its file anew where that was deleted or replaced, and says so", async () => {
    const file = await scratchFile();
    const { log, lines } = recordingLog();
    const store = await sqliteState({ file, log });
    onTestFinished(() => store.close());
    await store.set("before", "value");
    await rm(file);
    // Another process makes the file anew, and what it writes is seen.
    const other = await sqliteState({ file });
    onTestFinished(() => other.close());
    await other.set("other", "value");
    await expect.poll(() => store.get("other"), { timeout: 10_000 }).toBe("value");
    expect(await store.get("before")).toBeUndefined();
    await store.set("after", "value");
    expect(await other.get("after")).toBe("value");
    expect(JSON.stringify(lines)).toContain("the state file was deleted or replaced; opening it anew");
  });

  test("is unavailable while the file cannot be made anew, and goes on afterwards", async () => {
    const file = await scratchFile();
    const store = await sqliteState({ file });
    onTestFinished(() => store.close());
    await rm(file);
    await mkdir(file);
    await expect
      .poll(() => store.get("key").catch((error: unknown) => error), { timeout: 10_000 })
      .toBeInstanceOf(StateUnavailableError);
    await rm(file, { recursive: true });
    await expect.poll(() => store.add("key", "value").catch(() => false), { timeout: 10_000 }).toBe(true);
  });

  test("makes the file and those beside it readable by their owner alone, whatever the umask", async () => {
    const file = await scratchFile();
    const before = process.umask(0);
    onTestFinished(() => void process.umask(before));
    const { log, lines } = recordingLog();
    const store = await sqliteState({ file, log });
    onTestFinished(() => store.close());
    await store.set("key", "value");
    for (const path of [file, `${file}-wal`, `${file}-shm`]) expect((await stat(path)).mode & 0o777, path).toBe(0o600);
    expect(lines).toEqual([]);
  });

  test("warns of a file that others can read", async () => {
    const file = await scratchFile();
    await (await sqliteState({ file })).close();
    await chmod(file, 0o644);
    const { log, lines } = recordingLog();
    await (await sqliteState({ file, log })).close();
    expect(lines).toEqual([
      {
        level: "warn",
        fields: { file },
        message: "the state file can be read or changed by other users of this machine",
      },
    ]);
  });

  test("shares one file with other processes, each of which sees what the others write", async () => {
    const file = await scratchFile();
    const store = await sqliteState({ file });
    onTestFinished(() => store.close());
    const program = join(import.meta.dirname, "count-in-file.ts");
    const children = [1, 2, 3].map(() =>
      spawn(process.execPath, ["--conditions=development", program, file], { stdio: "inherit" }),
    );
    const ended = children.map((child) => once(child, "exit"));
    for (let count = 0; count < 200; count++) await store.increment("count", 1, hour);
    expect((await Promise.all(ended)).map(([code]) => code)).toEqual([0, 0, 0]);
    expect(await store.get("count")).toBe("800");
    // Each of them tried to add the same 200 keys.
    expect(await store.get("added")).toBe("200");
  });

  test("removes expired entries from the file", async () => {
    const file = await scratchFile();
    const before = await sqliteState({ file });
    for (let index = 0; index < 20; index++) await before.set(`key:${index}`, "", 1);
    await expect.poll(() => before.list("key:")).toEqual([]);
    await before.close();
    const store = await sqliteState({ file });
    await store.set("other", "");
    await store.close();
    const database = new DatabaseSync(file);
    onTestFinished(() => database.close());
    expect(database.prepare("SELECT key FROM entries").all()).toEqual([{ key: "other" }]);
  });

  test("fails when another process keeps the file locked, and goes on afterwards", async () => {
    const file = await scratchFile();
    const store = await sqliteState({ file });
    onTestFinished(() => store.close());
    const other = new DatabaseSync(file);
    onTestFinished(() => other.close());
    other.exec("BEGIN IMMEDIATE");
    await expect(store.set("key", "value")).rejects.toThrow(`another process has locked it for too long: ${file}`);
    other.exec("ROLLBACK");
    await store.set("key", "value");
    expect(await store.get("key")).toBe("value");
  });

  describe("a file that cannot be used", () => {
    const atFile = (message: string): object => ({ code: "INVALID_OPTIONS", faults: [{ path: ["file"], message }] });

    test("that is no database is named", async () => {
      const file = await scratchFile();
      await writeFile(file, "this is some other text\n".repeat(100));
      await expect(sqliteState({ file })).rejects.toMatchObject(atFile(`is not a SQLite database: ${file}`));
      expect(await readFile(file, "utf8")).toContain("some other text");
    });

    test("that was damaged is named, whenever the damage is met", async () => {
      const file = await scratchFile();
      const store = await sqliteState({ file });
      for (let index = 0; index < 500; index++) await store.set(`key:${index}`, "x".repeat(500));
      await store.close();
      const handle = await open(file, "r+");
      const { size } = await handle.stat();
      // The head of the file and of its first page stay.
      await handle.write(Buffer.alloc(size - 4096, 0xff), 0, size - 4096, 4096);
      await handle.close();
      const message = `is damaged: ${file}`;
      const damaged = await sqliteState({ file });
      onTestFinished(() => damaged.close());
      await expect(damaged.list("")).rejects.toThrow(message);
      await expect(damaged.get("key:1")).rejects.toThrow(StateUnavailableError);
      await expect(damaged.set("key:1", "")).rejects.toThrow(message);
    });

    test("that is a database of another program is left as it is", async () => {
      const file = await scratchFile();
      const database = new DatabaseSync(file);
      database.exec("CREATE TABLE entries (id INTEGER)");
      database.close();
      await expect(sqliteState({ file })).rejects.toMatchObject(atFile(`is a database of another program: ${file}`));
    });

    test("that a newer version has written is left as it is", async () => {
      const file = await scratchFile();
      await (await sqliteState({ file })).close();
      const database = new DatabaseSync(file);
      database.exec("PRAGMA user_version = 2");
      database.close();
      const message = `was written by a newer version of registry-gate: ${file}`;
      await expect(sqliteState({ file })).rejects.toMatchObject(atFile(message));
    });

    test("that is a directory, a dangling link or in no directory is named", async () => {
      const directory = await scratchDirectory();
      await mkdir(join(directory, "folder"));
      await symlink("nowhere/state.db", join(directory, "link"));
      const missing = join(directory, "missing");
      const faults: readonly [file: string, message: string][] = [
        [join(directory, "folder"), `is not a regular file: ${join(directory, "folder")}`],
        [join(missing, "state.db"), `no such directory: ${missing}`],
        [join(directory, "link"), `cannot be opened: ${join(directory, "link")}`],
      ];
      for (const [file, message] of faults) {
        await expect(sqliteState({ file })).rejects.toMatchObject(atFile(message));
      }
    });
  });
});
