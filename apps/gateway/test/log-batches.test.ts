import { closeSync, openSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test, vi } from "vitest";

// The real function, whose calls are counted.
vi.mock("node:fs", async (original) => {
  const fs = await original<typeof import("node:fs")>();
  return { ...fs, write: vi.fn(fs.write) };
});
// Without isolation another file may have loaded the module, with the function itself.
vi.resetModules();
const { write } = await import("node:fs");
const { logOutput } = await import("../src/log/log-output.ts");

test("lines that come while others are written wait, and are written together", async () => {
  const directory = await mkdtemp(join(tmpdir(), "log-batches-"));
  const file = join(directory, "log");
  const descriptor = openSync(file, "w");
  try {
    const output = logOutput(descriptor, { capacity: 1000, onDropped: () => {} });
    const first = output.writeAcknowledged("first\n");
    output.write("second\n");
    await first;
    output.write("third\n");
    await output.writeAcknowledged("last\n");
    expect(vi.mocked(write)).toHaveBeenCalledTimes(2);
    expect(await readFile(file, "utf8")).toBe("first\nsecond\nthird\nlast\n");
  } finally {
    closeSync(descriptor);
    await rm(directory, { recursive: true });
  }
});

test("a line that is to be acknowledged waits for no others", async () => {
  const directory = await mkdtemp(join(tmpdir(), "log-batches-"));
  const descriptor = openSync(join(directory, "log"), "w");
  try {
    const output = logOutput(descriptor, { capacity: 1000, onDropped: () => {} });
    vi.mocked(write).mockClear();
    const first = output.writeAcknowledged("first\n");
    const second = output.writeAcknowledged("second\n");
    await first;
    expect(vi.mocked(write)).toHaveBeenCalledTimes(2);
    await second;
  } finally {
    closeSync(descriptor);
    await rm(directory, { recursive: true });
  }
});
