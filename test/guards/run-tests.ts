import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runCommand } from "../support/run.ts";

/** What became of some test files. */
export interface TestRun {
  /** Of each file in which something failed, by its path below the root, the full titles of what did. */
  readonly failed: ReadonlyMap<string, readonly string[]>;
  /** How many tests ran. */
  readonly count: number;
  /** What vitest said. */
  readonly output: string;
}

interface Report {
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly message: string;
    readonly assertionResults: readonly { readonly fullName: string; readonly status: string }[];
  }[];
}

/** Runs test files of a workspace by vitest. */
export async function runTests(root: string, files: readonly string[]): Promise<TestRun> {
  const directory = await mkdtemp(join(tmpdir(), "registry-gate-tests-"));
  const outputFile = join(directory, "report.json");
  try {
    const vitest = join(root, "node_modules/vitest/vitest.mjs");
    const parameters = [vitest, "run", "--root", root, "--reporter=json", `--outputFile=${outputFile}`, ...files];
    const { stdout, stderr } = await runCommand(process.execPath, parameters, { directory: root });
    const text = await readFile(outputFile, "utf8").catch(() => {
      throw new Error(`vitest wrote no report:\n${stdout}${stderr}`);
    });
    const report: Report = JSON.parse(text);
    const failed = new Map<string, readonly string[]>();
    let count = 0;
    for (const { name, status, message, assertionResults } of report.testResults) {
      count += assertionResults.filter((result) => result.status !== "skipped").length;
      const titles = assertionResults.filter((result) => result.status === "failed").map(({ fullName }) => fullName);
      if (status === "failed") failed.set(name.slice(root.length + 1), titles.length > 0 ? titles : [message]);
    }
    return { failed, count, output: stdout + stderr };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
