import { execFile } from "node:child_process";
import { access, mkdir, mkdtemp, readFile, rename, rm } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import type { TestResult } from "./report.ts";
import { readReport } from "./report.ts";

const run = promisify(execFile);

const module = "github.com/opencontainers/distribution-spec/conformance";
const version = "v0.0.0-20260831232431-97274622c111";
const leastGo = { major: 1, minor: 26 };

/** Whether a Go new enough to build the suite is on the path. */
export async function goIsInstalled(): Promise<boolean> {
  try {
    const { stdout } = await run("go", ["env", "GOVERSION"]);
    const [, major, minor] = /^go(\d+)\.(\d+)/.exec(stdout.trim()) ?? [];
    if (Number(major) !== leastGo.major) return Number(major) > leastGo.major;
    return Number(minor) >= leastGo.minor;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return false;
    throw error;
  }
}

/** Builds the suite, once for each version of it; returns the program's path. */
export async function buildSuite(): Promise<string> {
  const caches = process.env.XDG_CACHE_HOME || join(homedir(), ".cache");
  const directory = join(caches, "registry-gate", `oci-conformance-${version}`);
  const program = join(directory, "conformance");
  if (await isThere(program)) return program;
  await mkdir(directory, { recursive: true });
  const building = await mkdtemp(join(directory, "building-"));
  try {
    // Everything else that Go heeds in the environment is left as it is.
    await run("go", ["install", `${module}@${version}`], { env: { ...process.env, GOBIN: building } });
    await rename(join(building, "conformance"), program);
  } finally {
    await rm(building, { recursive: true, force: true });
  }
  return program;
}

async function isThere(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch {
    return false;
  }
}

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
export async function runSuite(program: string, target: SuiteTarget): Promise<TestResult[]> {
  const directory = await mkdtemp(join(tmpdir(), "conformance-"));
  try {
    const environment = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("OCI_")));
    const credentials =
      target.username === undefined ? {} : { OCI_USERNAME: target.username, OCI_PASSWORD: target.password };
    const output = await runToTheEnd(program, directory, {
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
