import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { startEmbeddedRegistry } from "@registry-gate/embedded-registry";
import type { RunningServer } from "./logged-server.ts";
import { startLoggedServer } from "./logged-server.ts";

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
  async start(directory) {
    const file = join(directory, "config.yml");
    const configuration = {
      version: "0.1",
      log: { level: "info", formatter: "json", accesslog: { disabled: true } },
      storage: { filesystem: { rootdirectory: join(directory, "data") }, delete: { enabled: true } },
      http: { addr: "127.0.0.1:0" },
    };
    // JSON is YAML too.
    await writeFile(file, JSON.stringify(configuration));
    return await startLoggedServer({
      command: "docker-registry",
      parameters: ["serve", file],
      directory,
      log: "stderr",
      addressIn: ({ msg }) => (typeof msg === "string" ? /^listening on (\S+:\d+)$/.exec(msg)?.[1] : undefined),
      whenMissing: "install the Debian package docker-registry",
    });
  },
};

export const registryKinds: readonly RegistryKind[] = [dockerRegistry, embedded];
