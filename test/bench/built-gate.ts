import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { run } from "../support/run.ts";

const workspace = resolve(import.meta.dirname, "../..");
const gateway = join(workspace, "apps/gateway");

/** The command line that runs `registry-gate` as it is installed: what users have is what is measured. */
export const builtGate: readonly [program: string, ...parameters: string[]] = [process.execPath, installedProgram()];

/** Builds the packages whose sources are newer than what was built of them, and the command. */
export async function buildGate(): Promise<void> {
  await run(process.execPath, [join(workspace, "node_modules/typescript/bin/tsc"), "--build"], { cwd: workspace });
  await run(process.execPath, [join(gateway, "bundler/main.ts")]);
}

/** What the command is in the package that is published. */
function installedProgram(): string {
  const { publishConfig }: { publishConfig: { bin: Record<string, string> } } = JSON.parse(
    readFileSync(join(gateway, "package.json"), "utf8"),
  );
  const program = publishConfig.bin["registry-gate"];
  if (program === undefined) throw new Error("the published package has no command registry-gate");
  return join(gateway, program);
}
