import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { startable } from "../programs/startable.ts";
import type { TestResult } from "./report.ts";
import { readReport } from "./report.ts";

const run = promisify(execFile);

export interface SuiteTarget {
  /** `host:port`, plain HTTP. */
  readonly address: string;
  readonly username?: string;
  readonly password?: string;
}

/**
 * The suite's own settings, by its README: pull, push, content discovery and content management are on by default, as the
 * specification 1.1 has them. On top of that an upload is cancelled, and Docker-Content-Digest is asked for.
 */
const settings = {
  OCI_VERSION: "1.1",
  OCI_TLS: "disabled",
  OCI_LOG: "error",
  OCI_API_BLOBS_UPLOAD_CANCEL: "true",
  OCI_API_BLOBS_DIGEST_HEADER: "true",
  OCI_API_MANIFESTS_DIGEST_HEADER: "true",
};

/** Runs the whole suite; resolves to every test's result. Rejects where it wrote no report. */
export async function runSuite(target: SuiteTarget): Promise<TestResult[]> {
  const directory = await mkdtemp(join(tmpdir(), "conformance-"));
  try {
    const environment = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("OCI_")));
    const credentials =
      target.username === undefined ? {} : { OCI_USERNAME: target.username, OCI_PASSWORD: target.password };
    const output = await runToTheEnd(startable("oci-conformance"), directory, {
      ...environment,
      ...settings,
      ...credentials,
      OCI_REGISTRY: target.address,
      OCI_RESULTS_DIR: directory,
    });
    const report = await readFile(join(directory, "junit.xml"), "utf8").catch(() => {
      throw new Error(`the suite wrote no report:\n${output}`);
    });
    return readReport(report);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** A failed test makes the suite exit 1, which is for the report to tell. */
async function runToTheEnd(program: string, directory: string, environment: NodeJS.ProcessEnv): Promise<string> {
  const options = { cwd: directory, env: environment, maxBuffer: 64 * 1024 * 1024, timeout: 300_000 };
  try {
    const { stderr } = await run(program, [], options);
    return stderr;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === 1 && "stderr" in error) return String(error.stderr);
    throw error;
  }
}
