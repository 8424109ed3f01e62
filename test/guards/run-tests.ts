import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** What became of a test file. */
export type TestRun =
  | { readonly kind: "passed" }
  /** The full title of the first test that failed, or that the file did not end in time. */
  | { readonly kind: "failed"; readonly title: string }
  /** It says nothing about the code: no test began. */
  | { readonly kind: "broken"; readonly reason: string };

interface Report {
  readonly testResults: readonly {
    readonly message: string;
    readonly assertionResults: readonly { readonly fullName: string; readonly status: string }[];
  }[];
}

/** How long one test file may take, in milliseconds: without its guard, code can loop for ever, which is a failure. */
const timeout = 240_000;

/** Runs a test file of a workspace by vitest, up to the first test that fails. */
export async function runTests(root: string, file: string): Promise<TestRun> {
  const directory = await mkdtemp(join(tmpdir(), "registry-gate-tests-"));
  const outputFile = join(directory, "report.json");
  try {
    const options = ["--maxWorkers=1", "--bail=1", "--reporter=json", `--outputFile=${outputFile}`];
    const vitest = join(root, "node_modules/vitest/vitest.mjs");
    const ended = await runVitest([vitest, "run", "--root", root, ...options, file], root);
    if (ended === undefined) return { kind: "failed", title: `not ended within ${timeout / 1000} s` };
    const text = await readFile(outputFile, "utf8").catch(() => undefined);
    return text === undefined ? { kind: "broken", reason: ended.output } : judge(JSON.parse(text), ended.exitCode);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

function judge({ testResults }: Report, exitCode: number | null): TestRun {
  const tests = testResults.flatMap(({ assertionResults }) => assertionResults);
  const failed = tests.find(({ status }) => status === "failed");
  if (failed !== undefined) return { kind: "failed", title: failed.fullName };
  if (tests.some(({ status }) => status === "passed")) {
    // The report lists no error that was thrown outside of the tests, such as in an event.
    return exitCode === 0 ? { kind: "passed" } : { kind: "failed", title: "an error that no test caught" };
  }
  return { kind: "broken", reason: testResults.map(({ message }) => message).join("\n") || "it has no tests" };
}

interface Ended {
  readonly output: string;
  /** `null` after a signal. */
  readonly exitCode: number | null;
}

/** @returns `undefined` where it did not end in time. */
function runVitest(parameters: readonly string[], root: string): Promise<Ended | undefined> {
  // A group of its own, so that nothing is left of a test that does not end.
  const child = spawn(process.execPath, [...parameters], { cwd: root, detached: true });
  const kill = (): void => {
    if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
  };
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk: Buffer) => {
      output += chunk.toString();
    });
  }
  process.once("exit", kill);
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      kill();
      resolve(undefined);
    }, timeout);
    const settle = (): void => {
      clearTimeout(timer);
      process.off("exit", kill);
    };
    child.once("error", (error) => {
      settle();
      reject(error);
    });
    child.once("close", (exitCode) => {
      settle();
      resolve({ output, exitCode });
    });
  });
}
