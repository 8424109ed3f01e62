import { startEmbeddedRegistry } from "@registry-gate/embedded-registry";
import { startDockerRegistryIn } from "../support/docker-registry.ts";
import type { RunningServer } from "../support/logged-server.ts";

/** A registry to run the suite against. */
export interface RegistryKind {
  readonly name: string;
  /** Whether each of the suite's tests must pass against it. */
  readonly conforms: boolean;
  /** Starts an empty one that keeps its content in `directory`. */
  start(directory: string): Promise<RunningServer>;
}

const embedded: RegistryKind = {
  name: "embedded",
  conforms: true,
  async start(directory) {
    const registry = await startEmbeddedRegistry({ directory });
    return { address: new URL(registry.url).host, close: () => registry.close() };
  },
};

/** Debian's docker-registry 2.8, which is older than the specification and fails what is new in it. */
const dockerRegistry: RegistryKind = {
  name: "docker-registry",
  conforms: false,
  start: (directory) => startDockerRegistryIn(directory),
};

export const registryKinds: readonly RegistryKind[] = [dockerRegistry, embedded];
