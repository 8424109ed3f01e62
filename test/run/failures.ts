import { readFile, writeFile } from "node:fs/promises";
import type { Reporter } from "vitest/node";

/** A test file of which something failed. */
export interface FailedFile {
  /** Absolute. */
  readonly path: string;
  /** The full titles of its tests that failed; none where the file itself did, such as in `beforeAll`. */
  readonly tests: readonly string[];
}

/** What failed in a run of vitest. */
export interface Failures {
  readonly files: readonly FailedFile[];
  /** The number of errors outside of every test, such as a rejection that nobody handled. */
  readonly errors: number;
}

/** The environment variable that names the file which {@link FailureReporter} writes. */
export const failuresVariable = "TEST_FAILURES_FILE";

/** A reporter of vitest that leaves what failed in a file, for {@link readFailures}. */
export default class FailureReporter implements Reporter {
  readonly #path = takeVariable();

  readonly onTestRunEnd: NonNullable<Reporter["onTestRunEnd"]> = async (modules, errors) => {
    const files = modules
      .filter((module) => !module.ok())
      .map((module) => ({
        path: module.moduleId,
        tests: [...module.children.allTests("failed")].map(({ fullName }) => fullName),
      }));
    const failures: Failures = { files, errors: errors.length };
    await writeFile(this.#path, JSON.stringify(failures));
  };
}

/** The variable is for the reporter alone: the tests, and what they start, come without it. */
function takeVariable(): string {
  const path = process.env[failuresVariable];
  if (path === undefined) throw new Error(`${failuresVariable} is not set`);
  delete process.env[failuresVariable];
  return path;
}

/** Reads what the reporter has left; `undefined` where it left nothing, because vitest did not get that far. */
export async function readFailures(path: string): Promise<Failures | undefined> {
  const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  return text === undefined ? undefined : JSON.parse(text);
}
