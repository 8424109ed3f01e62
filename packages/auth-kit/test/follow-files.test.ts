import { mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { InvalidOptionsError } from "@registry-gate/auth";
import { expect, onTestFinished, test, vi } from "vitest";
import { followFile, followFiles, InvalidFileError, openAll, silentLog } from "../src/index.ts";

async function scratchDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "follow-files-"));
  onTestFinished(() => rm(directory, { recursive: true }));
  return directory;
}

/** Puts a new version in place in one step, as editors and Kubernetes do. */
async function replace(path: string, content: string): Promise<void> {
  await writeFile(`${path}.new`, content);
  await rename(`${path}.new`, path);
}

function recording() {
  const lines: { readonly level: string; readonly fields: object; readonly message: string }[] = [];
  const at = (level: string) => (fields: object, message: string) => void lines.push({ level, fields, message });
  return { lines, log: { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") } };
}

/** A number in a file. */
function parseNumber(content: Buffer): number {
  const number = Number(content.toString());
  if (Number.isNaN(number)) throw new InvalidFileError("holds no number");
  return number;
}

test("follows a file, and keeps the last good version of it", async () => {
  const path = join(await scratchDirectory(), "number");
  await writeFile(path, "1");
  const { lines, log } = recording();
  const onChange = vi.fn();
  const followed = await followFile({ path, option: ["file"], parse: parseNumber, log, onChange });
  onTestFinished(() => followed.close());
  expect(followed.current()).toBe(1);

  await replace(path, "2");
  await expect.poll(() => onChange).toHaveBeenCalledTimes(1);
  expect(followed.current()).toBe(2);

  await replace(path, "two");
  await expect.poll(() => lines.at(-1)).toMatchObject({ level: "error" });
  expect(lines.at(-1)).toEqual({
    level: "error",
    fields: { file: path, reason: "holds no number" },
    message: "invalid file ignored, keeping the previous version",
  });
  expect([followed.current(), onChange.mock.calls.length]).toEqual([2, 1]);

  await rm(path);
  await expect.poll(() => lines.at(-1)).toMatchObject({ fields: { code: "ENOENT" } });
  expect(followed.current()).toBe(2);
});

test("asks whether a version that is well-formed may follow the current one", async () => {
  const path = join(await scratchDirectory(), "number");
  await writeFile(path, "3");
  const { lines, log } = recording();
  const followed = await followFile({
    path,
    option: ["file"],
    parse: parseNumber,
    accept(next, current) {
      if (next < current) throw new InvalidFileError("is older than what is known");
      return next;
    },
    log,
  });
  onTestFinished(() => followed.close());
  await replace(path, "2");
  await expect.poll(() => lines).toMatchObject([{ fields: { reason: "is older than what is known" } }]);
  expect(followed.current()).toBe(3);
  await replace(path, "4");
  await expect.poll(() => followed.current()).toBe(4);
});

test("names the option and the file that cannot be used at the start", async () => {
  const directory = await scratchDirectory();
  const [one, two, missing] = ["one", "two", "missing"].map((name) => join(directory, name));
  await writeFile(one ?? "", "1");
  await writeFile(two ?? "", "two");
  const open = (...paths: (string | undefined)[]) =>
    followFiles({
      files: paths.map((path, index) => ({ path: path ?? "", option: ["files", index] })),
      parse: (contents) =>
        contents.map((content, index) => {
          try {
            return parseNumber(content);
          } catch (error) {
            throw error instanceof InvalidFileError ? new InvalidFileError(error.message, index) : error;
          }
        }),
      log: silentLog,
    });
  await expect(open(one, two)).rejects.toMatchObject({
    faults: [{ path: ["files", 1], message: `holds no number: ${two}` }],
  });
  await expect(open(missing, one, missing)).rejects.toMatchObject({
    faults: [
      { path: ["files", 0], message: `no such file: ${missing}` },
      { path: ["files", 2], message: `no such file: ${missing}` },
    ],
  });
  const nothing = await open();
  expect(nothing.current()).toEqual([]);
  nothing.close();
});

test("does not take an error of the program for a fault of the file", async () => {
  const path = join(await scratchDirectory(), "number");
  await writeFile(path, "1");
  const parse = (): number => {
    throw new TypeError("a bug");
  };
  await expect(followFile({ path, option: ["file"], parse, log: silentLog })).rejects.toThrow(TypeError);
});

test("reads no more of a file than it may", async () => {
  const path = join(await scratchDirectory(), "number");
  await writeFile(path, "12345");
  const opening = followFile({ path, option: ["file"], parse: parseNumber, maxBytes: 4, log: silentLog });
  await expect(opening).rejects.toMatchObject({ faults: [{ message: `is larger than 4 bytes: ${path}` }] });
});

test("opens all, or closes again what it could open and says everything that is wrong", async () => {
  const close = vi.fn();
  const fault = (name: string) => new InvalidOptionsError([{ path: [name], message: "is wrong" }]);
  const opened = await openAll([Promise.resolve({ close, name: "one" }), undefined]);
  expect(opened[0].name).toBe("one");
  expect(close).not.toHaveBeenCalled();
  await expect(
    openAll([Promise.reject(fault("one")), Promise.resolve({ close }), undefined, Promise.reject(fault("two"))]),
  ).rejects.toMatchObject({ faults: [{ path: ["one"] }, { path: ["two"] }] });
  expect(close).toHaveBeenCalledTimes(1);
  await expect(openAll([Promise.reject(new TypeError("a bug")), Promise.resolve({ close })])).rejects.toThrow("a bug");
  expect(close).toHaveBeenCalledTimes(2);
});
