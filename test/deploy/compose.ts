import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { Dockerd } from "../support/dockerd.ts";
import { type CommandResult, runCommand } from "../support/run.ts";

const folder = resolve(import.meta.dirname, "../../apps/gateway/deploy/compose");

/** A copy of the compose files, whose secrets are the test's own. */
export interface Compose {
  readonly directory: string;
  /** Runs docker compose with these files. */
  compose(files: readonly string[], parameters: readonly string[], input?: string): Promise<CommandResult>;
  close(): Promise<void>;
}

/** @param port Of the gate, on the machine. */
export async function copyCompose(daemon: Dockerd, port: number): Promise<Compose> {
  const directory = await mkdtemp(join(tmpdir(), "registry-gate-compose-"));
  await cp(folder, directory, { recursive: true });
  const environment = { ...daemon.environment, REGISTRY_GATE_PORT: String(port) };
  return {
    directory,
    compose: (files, parameters, input = "") =>
      runCommand("docker-compose", [...files.flatMap((file) => ["--file", file]), ...parameters], {
        directory,
        environment,
        input,
      }),
    close: () => rm(directory, { recursive: true, force: true }),
  };
}
