import { appendFile, mkdir, open, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { FileReadError, readSettled, readSettledFiles } from "@registry-gate/watched-file";
import { expect, test } from "vitest";
import { run } from "../../../test/support/run.ts";
import { scratchDirectory } from "./directories.ts";

test("a file that nobody writes to is read whole, through a symbolic link too", async () => {
  const directory = await scratchDirectory();
  await writeFile(join(directory, "file"), "content");
  await symlink("file", join(directory, "link"));
  expect((await readSettled(join(directory, "file"))).content.toString()).toBe("content");
  expect((await readSettled(join(directory, "link"))).content.toString()).toBe("content");
});

test("a file that is being written is read only when the writer has stopped", async () => {
  const path = join(await scratchDirectory(), "file");
  await writeFile(path, "0");
  const handle = await open(path, "a");
  let writing = true;
  const writer = (async () => {
    for (let part = 1; part < 20; part++) {
      await handle.write(` ${part}`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    writing = false;
    await handle.close();
  })();
  const { content } = await readSettled(path, { settle: 200 });
  expect(writing).toBe(false);
  expect(content.toString()).toBe(Array.from({ length: 20 }, (_, part) => part).join(" "));
  await writer;
});

test("a file that never holds still is given up", async () => {
  const path = join(await scratchDirectory(), "file");
  await writeFile(path, "");
  const timer = setInterval(() => void appendFile(path, "x"), 5);
  try {
    await expect(readSettled(path, { settle: 150, patience: 400 })).rejects.toMatchObject({
      code: "EUNSETTLED",
      path,
    });
  } finally {
    clearInterval(timer);
  }
});

test("several files come in the order of their paths", async () => {
  const directory = await scratchDirectory();
  const paths = ["b", "a"].map((name) => join(directory, name));
  await Promise.all(paths.map((path) => writeFile(path, path)));
  const files = await readSettledFiles(paths);
  expect(files.map((file) => file.path)).toEqual(paths);
  expect(files.map((file) => file.content.toString())).toEqual(paths);
});

test("what is no readable regular file is refused with its reason", async () => {
  const directory = await scratchDirectory();
  const file = join(directory, "file");
  const pipe = join(directory, "pipe");
  await writeFile(file, "12345");
  await mkdir(join(directory, "directory"));
  await symlink("loop", join(directory, "loop"));
  await run("mkfifo", [pipe]);

  const cases: readonly (readonly [string, string, RegExp])[] = [
    ["missing", "ENOENT", /^no such file: /],
    ["file/below", "ENOTDIR", /^no such file: /],
    ["directory", "EISDIR", /^is a directory: /],
    ["loop", "ELOOP", /^too many symbolic links: /],
    ["pipe", "ENOTREG", /^is not a regular file: /],
  ];
  for (const [name, code, message] of cases) {
    const path = join(directory, name);
    const error = await readSettled(path).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(FileReadError);
    expect(error).toMatchObject({ code, path, message: expect.stringMatching(message) });
  }
  await expect(readSettled(file, { maxBytes: 4 })).rejects.toMatchObject({ code: "ETOOBIG" });
  await expect(readSettled(file, { maxBytes: 5 })).resolves.toMatchObject({ path: file });
});
