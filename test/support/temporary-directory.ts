import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Everything that tests write to the system's temporary directory goes into one of this run, and goes with it. */
export default async function setup(): Promise<() => Promise<void>> {
  const outer = process.env.TMPDIR;
  const directory = await mkdtemp(join(tmpdir(), "rg-"));
  // Some programs run as users without any rights, and have to get through.
  await chmod(directory, 0o755);
  process.env.TMPDIR = directory;
  return async () => {
    if (outer === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = outer;
    await rm(directory, { recursive: true, force: true, maxRetries: 5 });
  };
}
