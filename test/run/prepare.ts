import { buildGoProgram } from "../programs/build-go-program.ts";
import { goVersion } from "../programs/go-version.ts";
import { programs } from "../programs/programs.ts";
import type { LeftOut } from "./choose-files.ts";
import { installPackages, type Say } from "./install-packages.ts";
import { missingPackages } from "./report.ts";

/**
 * Installs and builds what files were left out for.
 *
 * @param mayInstall Whether packages can be installed here.
 * @returns whether anything was tried.
 */
export async function prepare(leftOut: readonly LeftOut[], mayInstall: boolean, say: Say): Promise<boolean> {
  const packages = mayInstall ? missingPackages(leftOut) : [];
  await installPackages(packages, say);
  const missing = new Map(leftOut.flatMap(({ lacks }) => [...lacks]));
  let built = 0;
  for (const [name, lack] of missing) {
    const program = programs[name];
    if (lack !== "missing" || !("go" in program)) continue;
    built += 1;
    say(`building ${name} ${goVersion(program.go)}`);
    await buildGoProgram(name).catch((error: unknown) => {
      say(`  failed: ${error instanceof Error ? error.message : String(error)}`);
    });
  }
  return packages.length > 0 || built > 0;
}
