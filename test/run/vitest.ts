import { spawn } from "node:child_process";
import { join } from "node:path";

/** Runs vitest to its end, with variables added to its environment; resolves to its exit code. */
export function vitest(
  root: string,
  parameters: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<number> {
  const program = join(root, "node_modules/vitest/vitest.mjs");
  const child = spawn(process.execPath, [program, "run", ...parameters], {
    cwd: root,
    stdio: "inherit",
    env: { ...process.env, ...environment },
  });
  // The terminal sends Ctrl-C to both, and what vitest started is for vitest to end.
  const wait = (): void => {};
  const pass = (signal: NodeJS.Signals): void => void child.kill(signal);
  process.on("SIGINT", wait);
  process.on("SIGTERM", pass);
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code) => {
      process.off("SIGINT", wait);
      process.off("SIGTERM", pass);
      resolve(code ?? 1);
    });
  });
}

/** The parameters that leave files out of a run, by their paths below the root. */
export function leavingOut(paths: readonly string[]): readonly string[] {
  return paths.flatMap((path) => ["--exclude", path]);
}
