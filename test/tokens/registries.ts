import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { type FurtherSettings, startDockerRegistryIn, type TokenSettings } from "../support/docker-registry.ts";
import { startLoggedServer } from "../support/logged-server.ts";

/** Starts a registry that asks for tokens, and gives its URL. */
async function startRegistry(token: TokenSettings, more: FurtherSettings = {}): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "registry-gate-registry-"));
  const { address, close } = await startDockerRegistryIn(directory, {}, undefined, { ...more, token });
  onTestFinished(async () => {
    await close();
    await rm(directory, { recursive: true, force: true });
  });
  return `http://${address}`;
}

/** Debian's docker-registry, of version 2.8. */
export function startDockerRegistry2(token: TokenSettings): Promise<string> {
  return startRegistry(token);
}

/** The distribution's registry, of version 3.1. */
export function startDistribution3(token: TokenSettings): Promise<string> {
  return startRegistry(token, { start: (server) => startLoggedServer({ command: "distribution", ...server }) });
}
