import { readdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { InvalidOptionsError } from "@registry-gate/auth";
import { inspectState, openState } from "@registry-gate/state";
import { describe, expect, onTestFinished, test } from "vitest";
import { scratchDirectory } from "./scratch-directory.ts";

test("opens a file relative to the directory", async () => {
  const directory = await scratchDirectory();
  const store = await openState({ file: "state.db" }, { directory });
  onTestFinished(() => store.close());
  expect((await stat(join(directory, "state.db"))).isFile()).toBe(true);
});

test("opens a Redis that is not there", async () => {
  const store = await openState({ redis: "redis://127.0.0.1:1" }, { directory: "/" });
  onTestFinished(() => store.close());
  await expect(store.check()).rejects.toThrow(
    // Which of the two comes first depends on how busy the machine is.
    /^the state store is unavailable: Redis(: .*ECONNREFUSED| does not respond within)/,
  );
});

test.each([
  [{}, [[]]],
  [{ file: "" }, [["file"]]],
  [{ redis: "http://redis" }, [["redis"]]],
  [{ file: "state.db", redis: "redis://redis" }, [[]]],
  [{ file: "state.db", fil: 1 }, [["fil"]]],
  ["state.db", [[]]],
])("refuses the options %j", async (options, paths) => {
  const opening = openState(JSON.parse(JSON.stringify(options)), { directory: await scratchDirectory() });
  const error = await opening.catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(InvalidOptionsError);
  expect(error instanceof InvalidOptionsError && error.faults.map(({ path }) => path)).toEqual(paths);
});

describe("inspectState", () => {
  test("makes no file and connects to nothing", async () => {
    const directory = await scratchDirectory();
    await inspectState({ file: "state.db" }, { directory });
    await inspectState({ redis: "redis://127.0.0.1:1" }, { directory });
    expect(await readdir(directory)).toEqual([]);
  });

  test("finds a file that is no database, and a directory that is missing", async () => {
    const directory = await scratchDirectory();
    await writeFile(join(directory, "text"), "no database, but text\n".repeat(10));
    await expect(inspectState({ file: "text" }, { directory })).rejects.toThrow(/^file: is not a SQLite database: /);
    await expect(inspectState({ file: "missing/a" }, { directory })).rejects.toThrow(/^file: no such directory: /);
  });
});
