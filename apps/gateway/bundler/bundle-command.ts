import { resolve } from "node:path";
import { build } from "rolldown";
import { type Dependencies, dependencies } from "./dependencies.ts";
import { nodeHttp } from "./node-http.ts";
import { notices } from "./notices.ts";

const workspace = resolve(import.meta.dirname, "../../..");

/**
 * What is started by its path has a file of its own, whose name does not change. The threads look for theirs beside the
 * module that starts them.
 */
const entries = {
  "registry-gate": "apps/gateway/src/registry-gate.ts",
  main: "apps/gateway/src/main.ts",
  "reading-thread": "apps/gateway/src/config/reading-thread.ts",
  "hashing-worker": "packages/auth-htpasswd/src/hashing-worker.ts",
};

/**
 * Puts the command, with all that it imports from this workspace, into few files: most of the time that a start takes goes
 * into finding and reading modules one by one. What is loaded when it is needed, still is. Nothing is renamed or made smaller.
 *
 * @param directory Emptied of nothing. It lies beside a copy of the gateway's `package.json`, where the command reads its
 * version.
 * @throws {Error} when a module imports a package that would not be found from there.
 */
export async function bundleCommand(directory: string, choice: Dependencies): Promise<void> {
  await build({
    cwd: workspace,
    input: entries,
    platform: "node",
    // Not "import" or "require": each goes with the way in which a module is asked for.
    resolve: { conditionNames: ["development", "node"] },
    transform: { target: "es2024" },
    // Programs are more than what they export, whatever the manifest of their package says of its library.
    treeshake: { moduleSideEffects: (id) => (id.includes("/node_modules/") ? undefined : true) },
    output: { dir: directory, format: "esm", comments: { legal: true, jsdoc: false, annotation: false } },
    logLevel: "warn",
    // A bundle of everything is published nowhere.
    plugins: [nodeHttp, dependencies(choice), choice === "installed" && notices],
  });
}
