import { spawn } from "node:child_process";
import { chmod, rm, writeFile } from "node:fs/promises";

/** Says one line to the user who waits. */
export type Say = (line: string) => void;

/** What denies every start of a service, by invoke-rc.d(8): the tests start their servers by themselves. */
const servicePolicy = "/usr/sbin/policy-rc.d";

/**
 * Installs packages of Debian, one after the other, with a line for each. One that cannot be installed does not stop the
 * others.
 */
export async function installPackages(
  packages: readonly string[],
  say: Say,
  policy: string = servicePolicy,
): Promise<void> {
  if (packages.length === 0) return;
  // Ctrl-C ends apt-get; here the policy has to go first.
  const wait = (): void => {};
  process.on("SIGINT", wait);
  const denied = await denyServices(policy);
  try {
    say(`installing ${packages.length} Debian packages that tests need`);
    report(await aptGet(["update", "-qq"]), "apt-get update", say);
    for (const [index, name] of packages.entries()) {
      say(`  ${index + 1} of ${packages.length}: ${name}`);
      report(await aptGet(["install", "--yes", "-qq", "--no-install-recommends", name]), name, say);
    }
  } finally {
    if (denied) await rm(policy, { force: true });
    process.off("SIGINT", wait);
  }
}

/** @returns whether it was this call that denied them: what an administrator has laid down stays. */
async function denyServices(policy: string): Promise<boolean> {
  try {
    await writeFile(policy, "#!/bin/sh\nexit 101\n", { flag: "wx", mode: 0o755 });
    await chmod(policy, 0o755);
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EEXIST") return false;
    throw error;
  }
}

interface Outcome {
  readonly code: number | null;
  readonly output: string;
}

/** The last lines of apt-get say what went wrong. */
function report({ code, output }: Outcome, what: string, say: Say): void {
  if (code === 0) return;
  say(`  ${what}: failed`);
  for (const line of output.trimEnd().split("\n").slice(-5)) say(`    ${line}`);
}

function aptGet(parameters: readonly string[]): Promise<Outcome> {
  const environment = { ...process.env, DEBIAN_FRONTEND: "noninteractive", LC_ALL: "C.UTF-8" };
  // Another run of apt-get on this machine is waited for.
  const child = spawn("apt-get", ["-o", "DPkg::Lock::Timeout=300", ...parameters], {
    env: environment,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  const remember = (chunk: Buffer): void => {
    output += chunk.toString();
  };
  child.stdout.on("data", remember);
  child.stderr.on("data", remember);
  return new Promise((resolve) => {
    child.once("error", (error) => resolve({ code: null, output: error.message }));
    child.once("close", (code) => resolve({ code, output }));
  });
}
