import { chmod, copyFile, mkdtemp, rename, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { bundleCommand } from "../../apps/gateway/bundler/bundle-command.ts";

const gateway = resolve(import.meta.dirname, "../../apps/gateway");

/**
 * Puts the command from source into few files, as it is published: a process reads a thousand modules in three times the time.
 * All other packages are part of it here.
 *
 * @param place The directory that has them afterwards, with the command in `src/main.js`. Others may make it meanwhile.
 */
async function bundleGate(place: string): Promise<void> {
  const making = await mkdtemp(`${place}-`);
  // Some tests run it as a user without any rights.
  await chmod(making, 0o755);
  await bundleCommand(join(making, "src"), "bundled");
  // It reads its version there.
  await copyFile(join(gateway, "package.json"), join(making, "package.json"));
  try {
    await rename(making, place);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ENOTEMPTY")) throw error;
    await rm(making, { recursive: true });
  }
}

const [place] = process.argv.slice(2);
if (place === undefined) throw new Error("parameters: DIRECTORY");
await bundleGate(place);
