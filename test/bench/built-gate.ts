import { readFileSync } from "node:fs";
import { glob, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { run } from "../support/run.ts";

const workspace = resolve(import.meta.dirname, "../..");
const gateway = join(workspace, "apps/gateway");
/** What the packages are built of; of a directory a file may have gone. */
const sources = [
  "{packages,apps}/*/{package.json,tsconfig.json}",
  "{packages,apps}/*/{src,bundler}/**",
  "package.json",
];

const installed = installedProgram();

/** The command line that runs `registry-gate` as it is installed: what users have is what is measured. */
export const builtGate: readonly [program: string, ...parameters: string[]] = [process.execPath, installed];

/** Builds the packages and the command, where a source is newer than the command. */
export async function buildGate(): Promise<void> {
  const built = await changedAt(installed);
  for await (const source of glob(sources, { cwd: workspace })) {
    if ((await changedAt(join(workspace, source))) > built) return build();
  }
}

async function build(): Promise<void> {
  process.stderr.write("building, for the sources are newer than what was built\n");
  await run(process.execPath, [join(workspace, "node_modules/typescript/bin/tsc"), "--build"], { cwd: workspace });
  await run(process.execPath, [join(gateway, "bundler/main.ts")]);
}

/** In milliseconds; before everything where it is not there. */
async function changedAt(file: string): Promise<number> {
  try {
    return (await stat(file)).mtimeMs;
  } catch {
    return Number.NEGATIVE_INFINITY;
  }
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
