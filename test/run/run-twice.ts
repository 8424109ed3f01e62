import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { failuresVariable, readFailures } from "./failures.ts";
import { vitest } from "./vitest.ts";

/** More files than this do not fail by chance. */
const atMost = 3;

const reporters = ["--reporter=default", `--reporter=${join(import.meta.dirname, "failures.ts")}`];

/**
 * Runs all tests, and a few files that failed once more, alone: hundreds of files with real servers share the cores, and a
 * server or client that got none for seconds fails a test that has no fault. What then passes is named, for it may have
 * one. Neither a file that fails alone, nor more than three files, nor an error outside of all tests passes so.
 *
 * @param parameters Of vitest, for the first run.
 * @returns the exit code, 0 where all passed, if only the second time.
 */
export async function runTwice(
  root: string,
  parameters: readonly string[],
  say: (line: string) => void,
): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), "registry-gate-failures-"));
  try {
    const report = join(folder, "failures.json");
    const code = await vitest(root, [...reporters, ...parameters], { [failuresVariable]: report });
    if (code === 0) return 0;
    const failures = await readFailures(report);
    if (failures === undefined || failures.errors > 0) return code;
    const files = failures.files
      .map(({ path, tests }) => ({ path: relative(root, path), tests }))
      .sort((one, other) => (one.path < other.path ? -1 : 1));
    if (files.length === 0 || files.length > atMost) return code;
    const paths = files.map(({ path }) => path);
    say(`failed beside the others, and run once more alone: ${paths.join(", ")}`);
    const second = await vitest(root, ["--maxWorkers=1", ...paths]);
    if (second !== 0) return second;
    say("failed beside the others, passed alone:");
    for (const { path, tests } of files)
      for (const test of tests.length > 0 ? tests : ["as a whole"]) say(`  ${path}: ${test}`);
    return 0;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
