import { execFile } from "node:child_process";
import { chmod, mkdir, open, rename, rm, symlink, unlink, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { type FileReadError, readSettled, type WatchOptions, watchFile, watchFiles } from "@registry-gate/watched-file";
import { expect, onTestFinished, test, vi } from "vitest";
import { scratchDirectory } from "./directories.ts";

/** Everything that a watch has delivered, as text, and the codes of its errors. */
function follow(path: string, options: WatchOptions = {}): { contents: string[]; errors: string[]; close(): void } {
  const contents: string[] = [];
  const errors: string[] = [];
  const onError = (error: FileReadError): void => void errors.push(error.code);
  const watch = watchFile(path, (content) => contents.push(content.toString()), { onError, ...options });
  onTestFinished(() => watch.close());
  return { contents, errors, close: () => watch.close() };
}

const until = (assertion: () => void): Promise<void> => vi.waitFor(assertion, { timeout: 20_000, interval: 20 });
/** Long enough for several looks at the default interval. */
const aFewLooks = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 1000));

test("the first content is delivered, unless it was read before", async () => {
  const path = join(await scratchDirectory(), "file");
  await writeFile(path, "one");
  const fresh = follow(path);
  const since = follow(path, { since: await readSettled(path) });
  await until(() => expect(fresh.contents).toEqual(["one"]));
  await writeFile(path, "two");
  await until(() => expect(since.contents).toEqual(["two"]));
  await until(() => expect(fresh.contents).toEqual(["one", "two"]));
});

test("a change between the first read and the watch is not lost", async () => {
  const path = join(await scratchDirectory(), "file");
  await writeFile(path, "one");
  const since = await readSettled(path);
  await writeFile(path, "two");
  const { contents } = follow(path, { since });
  await until(() => expect(contents).toEqual(["two"]));
});

test("an edit in place, a rename over the file and a new file after a deletion are all seen", async () => {
  const directory = await scratchDirectory();
  const path = join(directory, "file");
  await writeFile(path, "one");
  const { contents, errors } = follow(path, { since: await readSettled(path) });

  await writeFile(path, "edited");
  await until(() => expect(contents).toEqual(["edited"]));

  await writeFile(join(directory, "next"), "renamed");
  await rename(join(directory, "next"), path);
  await until(() => expect(contents).toEqual(["edited", "renamed"]));

  await unlink(path);
  await until(() => expect(errors).toEqual(["ENOENT"]));
  await aFewLooks();
  expect(errors).toEqual(["ENOENT"]);
  await writeFile(path, "anew");
  await until(() => expect(contents).toEqual(["edited", "renamed", "anew"]));

  await unlink(path);
  await until(() => expect(errors).toEqual(["ENOENT", "ENOENT"]));
});

test("an edit that keeps size and modification time is seen", async () => {
  const path = join(await scratchDirectory(), "file");
  const time = new Date("2020-01-01T00:00:00Z");
  await writeFile(path, "aaaa");
  await utimes(path, time, time);
  const { contents } = follow(path, { since: await readSettled(path) });
  await writeFile(path, "bbbb");
  await utimes(path, time, time);
  await until(() => expect(contents).toEqual(["bbbb"]));
});

test("the swap of a Kubernetes volume is seen, with files behind two symbolic links", async () => {
  const volume = await scratchDirectory();
  await mkdir(join(volume, "..2026_1"));
  await writeFile(join(volume, "..2026_1", "file"), "one");
  await symlink("..2026_1", join(volume, "..data"));
  await symlink("..data/file", join(volume, "file"));
  const path = join(volume, "file");
  const { contents, errors } = follow(path, { since: await readSettled(path) });

  await mkdir(join(volume, "..2026_2"));
  await writeFile(join(volume, "..2026_2", "file"), "two");
  await symlink("..2026_2", join(volume, "..data_tmp"));
  await rename(join(volume, "..data_tmp"), join(volume, "..data"));
  await rm(join(volume, "..2026_1"), { recursive: true });
  await until(() => expect(contents).toEqual(["two"]));
  expect(errors).toEqual([]);
});

test("a file that was only touched, or replaced by an equal one, is not delivered", async () => {
  const directory = await scratchDirectory();
  const path = join(directory, "file");
  await writeFile(path, "same");
  const { contents } = follow(path, { since: await readSettled(path) });
  await utimes(path, new Date(), new Date());
  await aFewLooks();
  await writeFile(join(directory, "next"), "same");
  await rename(join(directory, "next"), path);
  await aFewLooks();
  expect(contents).toEqual([]);
});

test("a file that is written bit by bit is delivered once, whole", async () => {
  const path = join(await scratchDirectory(), "file");
  await writeFile(path, "old");
  const { contents } = follow(path, { since: await readSettled(path), settle: 400 });
  const handle = await open(path, "w");
  for (let part = 0; part < 60; part++) {
    await handle.write(`${part} `);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  await handle.close();
  const whole = Array.from({ length: 60 }, (_, part) => `${part} `).join("");
  await until(() => expect(contents).toEqual([whole]));
});

test("each reason why the file cannot be read is told once, and the watch recovers", async () => {
  const directory = await scratchDirectory();
  const path = join(directory, "file");
  await writeFile(path, "one");
  const { contents, errors } = follow(path, { since: await readSettled(path), maxBytes: 10 });

  await unlink(path);
  await mkdir(path);
  await until(() => expect(errors).toEqual(["EISDIR"]));
  await rm(path, { recursive: true });
  await until(() => expect(errors).toEqual(["EISDIR", "ENOENT"]));
  await writeFile(path, "more than ten bytes");
  await until(() => expect(errors).toEqual(["EISDIR", "ENOENT", "ETOOBIG"]));
  await writeFile(path, "two");
  await until(() => expect(contents).toEqual(["two"]));
});

test("a file without permission is told of as such", async () => {
  // Permissions do not bind the superuser, so the watch runs as somebody else.
  const directory = await scratchDirectory();
  const path = join(directory, "file");
  await writeFile(path, "secret");
  await chmod(path, 0);
  await chmod(directory, 0o755);
  const program = `
    import { watchFile } from ${JSON.stringify(new URL("../src/index.ts", import.meta.url).href)};
    if (process.getuid() === 0) process.setuid(65534);
    const stay = setInterval(() => {}, 1000);
    watchFile(${JSON.stringify(path)}, (content) => console.log("read", content.length), {
      onError: (error) => { console.log(error.message); clearInterval(stay); },
    });`;
  const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "--eval", program]);
  expect(stdout).toBe(`permission denied: ${path}\n`);
});

test("a set is delivered together when one of its files has changed", async () => {
  const directory = await scratchDirectory();
  const paths = ["certificate", "key"].map((name) => join(directory, name));
  const [certificate = "", key = ""] = paths;
  await writeFile(certificate, "c1");
  await writeFile(key, "k1");
  const seen: string[] = [];
  const errors: string[] = [];
  const watch = watchFiles(paths, (contents) => seen.push(contents.join(" ")), {
    onError: (error) => errors.push(error.path),
  });
  onTestFinished(() => watch.close());
  await until(() => expect(seen).toEqual(["c1 k1"]));
  await writeFile(key, "k2");
  await until(() => expect(seen).toEqual(["c1 k1", "c1 k2"]));
  await Promise.all([writeFile(certificate, "c3"), writeFile(key, "k3")]);
  await until(() => expect(seen).toEqual(["c1 k1", "c1 k2", "c3 k3"]));
  await unlink(key);
  await until(() => expect(errors).toEqual([key]));
});

test("after close nothing is delivered, and closing twice is fine", async () => {
  const path = join(await scratchDirectory(), "file");
  await writeFile(path, "one");
  const { contents, errors, close } = follow(path, { since: await readSettled(path) });
  close();
  close();
  await writeFile(path, "two");
  await aFewLooks();
  await unlink(path);
  await aFewLooks();
  expect(contents).toEqual([]);
  expect(errors).toEqual([]);
});

test("a watch does not keep the process alive", async () => {
  const path = join(await scratchDirectory(), "file");
  await writeFile(path, "one");
  const program = `
    import { watchFile } from ${JSON.stringify(new URL("../src/index.ts", import.meta.url).href)};
    watchFile(${JSON.stringify(path)}, () => {});`;
  await promisify(execFile)(process.execPath, ["--input-type=module", "--eval", program], { timeout: 30_000 });
});
