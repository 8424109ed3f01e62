import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { registryKinds } from "../conformance/registries.ts";

/** A real registry, empty at first, on a free port of the loopback interface. */
export interface DockerRegistry {
  readonly url: string;
  /** Stops it and removes what it held. */
  close(): Promise<void>;
}

export async function startDockerRegistry(): Promise<DockerRegistry> {
  const kind = registryKinds.find(({ name }) => name === "docker-registry");
  if (kind === undefined) throw new Error("there is no kind of registry called docker-registry");
  const directory = await mkdtemp(join(tmpdir(), "registry-gate-registry-"));
  const { address, close } = await kind.start(directory);
  return {
    url: `http://${address}`,
    async close() {
      await close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
