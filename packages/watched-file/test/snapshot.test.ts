import { type FileHandle, mkdtemp, open, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { observe, readUnchanged } from "../src/snapshot.ts";

/** Has something happen between the opening of a file and the reading of its content. */
async function beforeReading(path: string, happen: () => Promise<void>): Promise<void> {
  const handle = await open(path);
  const prototype: FileHandle = Object.getPrototypeOf(handle);
  await handle.close();
  const readFile = prototype.readFile;
  const spy = vi.spyOn(prototype, "readFile").mockImplementation(async function (this: FileHandle) {
    await happen();
    return Reflect.apply(readFile, this, []);
  });
  onTestFinished(() => spy.mockRestore());
}

test.each([0, 1])(
  "reads nothing of two files of which number %d changes after the second was opened",
  async (changed) => {
    const directory = await mkdtemp(join(tmpdir(), "snapshot-"));
    onTestFinished(() => rm(directory, { recursive: true, force: true }));
    const [one, other] = [join(directory, "one"), join(directory, "other")];
    for (const path of [one, other]) await writeFile(path, "before");
    const { stamp } = await observe([one, other], 100);
    expect(await readUnchanged([one, other], stamp, 100)).toEqual([Buffer.from("before"), Buffer.from("before")]);

    let opened = 0;
    await beforeReading(one, async () => {
      opened++;
      if (opened === 2) await writeFile(changed === 0 ? one : other, "afterwards");
    });
    expect(await readUnchanged([one, other], stamp, 100)).toBeUndefined();
    expect(opened).toBe(2);
  },
);
