import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const source = fileURLToPath(new URL("../../apps/gateway/src/main.ts", import.meta.url));
const bundler = fileURLToPath(new URL("bundle-gate.ts", import.meta.url));

/**
 * The program of the command `registry-gate`, from source. In tests, which start it some thousand times, it is put into
 * few files once a run: it starts in a third of the processor time. It lies in the temporary directory of the run.
 */
export function gateProgram(): string {
  if (process.env.VITEST === undefined) return source;
  const place = join(tmpdir(), "gate");
  const program = join(place, "src/main.js");
  if (!existsSync(program)) execFileSync(process.execPath, ["--conditions=development", bundler, place]);
  return program;
}
