import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type CommandResult, runCommand } from "./run.ts";

/** A user of skopeo: what it remembers of logins is kept apart, and it trusts one authority alone. */
export interface SkopeoUser {
  /** Runs skopeo to its end with these arguments, and `input` on its standard input. */
  readonly skopeo: (parameters: readonly string[], input?: string) => Promise<CommandResult>;
  /** Where it remembers its logins; removed when it is closed. */
  readonly directory: string;
  close(): Promise<void>;
}

/** @param authority A PEM file. */
export async function newSkopeoUser(authority: string): Promise<SkopeoUser> {
  const directory = await mkdtemp(join(tmpdir(), "registry-gate-skopeo-"));
  const environment = { SSL_CERT_FILE: authority, REGISTRY_AUTH_FILE: join(directory, "auth.json") };
  return {
    skopeo: (parameters, input = "") => runCommand("skopeo", parameters, { input, environment }),
    directory,
    close: () => rm(directory, { recursive: true, force: true }),
  };
}
