import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { startDockerRegistryIn } from "../support/docker-registry.ts";
import { freePort } from "../support/free-port.ts";
import type { RunningServer } from "../support/logged-server.ts";

/** A registry that comes back at the same address, with what it had. */
export interface RestartableRegistry {
  readonly url: string;
  stop(): Promise<void>;
  start(): Promise<void>;
  close(): Promise<void>;
}

export async function startRestartableRegistry(parent: string): Promise<RestartableRegistry> {
  const directory = join(parent, "registry");
  await mkdir(directory);
  const port = await freePort();
  const launch = (): Promise<RunningServer> => startDockerRegistryIn(directory, { addr: `127.0.0.1:${port}` });
  let server = await launch();
  return {
    url: `http://127.0.0.1:${port}`,
    stop: () => server.close(),
    async start() {
      server = await launch();
    },
    close: () => server.close(),
  };
}
