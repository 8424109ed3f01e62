import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished } from "vitest";
import { runGate } from "../gateway/run-gate.ts";
import type { CommandResult } from "../support/run.ts";
import { startUpstream } from "../support/upstream.ts";

/** Every password of the tests, right and wrong. */
const secrets = ["alicepw", "bobpw", "gatepw", "a wrong password", "Passw0rd!"];

export interface Check {
  readonly backends: readonly object[];
  readonly user?: string;
  /** The first line of standard input. */
  readonly password?: string;
  /** Where the configuration is, and the files that it names. Default: a directory of its own. */
  readonly directory?: string;
}

/** A directory that is removed after the test. */
export async function newDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "check-connect-"));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

/** Runs `check --connect`, and sees that it tells no password. */
export async function check({ backends, user, password = "", directory }: Check): Promise<CommandResult> {
  const registry = await startUpstream((_, response) => response.end("{}"));
  onTestFinished(() => registry.close());
  const where = directory ?? (await newDirectory());
  const configuration = {
    listen: { address: "127.0.0.1:0" },
    upstream: { url: registry.url },
    auth: { backends },
  };
  await writeFile(join(where, "gate.yaml"), JSON.stringify(configuration));
  const whom = user === undefined ? [] : ["--user", user];
  const result = await runGate(["check", "--connect", ...whom, "--config", "gate.yaml"], {
    directory: where,
    input: `${password}\n`,
  });
  for (const secret of secrets) expect(result.stdout + result.stderr).not.toContain(secret);
  // What is said of the registry has tests of its own.
  return { ...result, stdout: result.stdout.replace(/^upstream\n {2}.*\n {4}ok .*\n/m, "") };
}

/** The steps that were told: their outcomes and names. */
export function stepsIn({ stdout }: CommandResult): readonly string[] {
  return [...stdout.matchAll(/^ {4}(ok|failed) +([a-z-]+) +\d+ ms/gm)].map(([, outcome, step]) => `${outcome} ${step}`);
}
