import { chmod, copyFile, mkdtemp, rename, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { build, type Plugin } from "rolldown";

const workspace = resolve(import.meta.dirname, "../..");

/**
 * Puts the command from source, with all that it imports, into few files: a process reads a thousand modules in three
 * times the time. Nothing is left out of it or made smaller.
 *
 * @param place The directory that has them afterwards, with the command in `src/main.js`. Others may make it meanwhile.
 */
async function bundleGate(place: string): Promise<void> {
  const making = await mkdtemp(`${place}-`);
  // Some tests run it as a user without any rights.
  await chmod(making, 0o755);
  await build({
    input: {
      main: join(workspace, "apps/gateway/src/main.ts"),
      // It is started by its path, beside the module that starts it.
      "hashing-worker": join(workspace, "packages/auth-htpasswd/src/hashing-worker.ts"),
    },
    platform: "node",
    // Not "import" or "require": each goes with the way in which a module is asked for.
    resolve: { conditionNames: ["development", "node"] },
    treeshake: false,
    output: { dir: join(making, "src"), format: "esm" },
    logLevel: "warn",
    plugins: [native],
  });
  // It reads its version there.
  await copyFile(join(workspace, "apps/gateway/package.json"), join(making, "package.json"));
  try {
    await rename(making, place);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ENOTEMPTY")) throw error;
    await rm(making, { recursive: true });
  }
}

/** A module with native code stays where it is, and so does what reads files beside it. */
const native: Plugin = {
  name: "native",
  resolveId: {
    filter: { id: /^@node-rs\/|\/asset-files\.ts$/ },
    async handler(specifier, importer) {
      const found = await this.resolve(specifier, importer, { skipSelf: true });
      return found === null ? null : { id: found.id, external: "absolute" };
    },
  },
};

const [place] = process.argv.slice(2);
if (place === undefined) throw new Error("parameters: DIRECTORY");
await bundleGate(place);
