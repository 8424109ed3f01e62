import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { tryPolledServer } from "./polled-server.ts";
import { type CommandResult, runCommand } from "./run.ts";

/** Debian's containerd with content of its own, and nothing in common with another one on the same machine. */
export interface Containerd {
  /**
   * Runs ctr to its end with these arguments.
   *
   * @param environment Added to the environment of the tests: ctr speaks to registries itself, not the daemon.
   */
  ctr(parameters: readonly string[], environment: Readonly<Record<string, string>>): Promise<CommandResult>;
  /** Stops it and removes what it held. */
  close(): Promise<void>;
}

/** Starts a daemon that keeps content and runs nothing. Needs root. */
export async function startContainerd(): Promise<Containerd> {
  if (process.getuid?.() !== 0) throw new Error("containerd needs root");
  // Short, because the path of a socket may have no more than 107 bytes.
  const directory = await mkdtemp(join(tmpdir(), "rg-containerd-"));
  const remove = (): Promise<void> => rm(directory, { recursive: true, force: true, maxRetries: 5 });
  const socket = join(directory, "containerd.sock");
  const configuration = join(directory, "config.toml");
  // What runs containers would look for the machine's network and cgroups.
  const lines = [
    "version = 2",
    `root = ${JSON.stringify(join(directory, "root"))}`,
    `state = ${JSON.stringify(join(directory, "state"))}`,
    'disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.internal.v1.restart"]',
    "[grpc]",
    `address = ${JSON.stringify(socket)}`,
    "",
  ];
  try {
    await writeFile(configuration, lines.join("\n"));
    const server = await tryPolledServer({
      command: "containerd",
      parameters: ["--config", configuration],
      directory,
      path: socket,
    });
    if (typeof server === "string") throw new Error(server);
    return {
      ctr: (parameters, environment) => runCommand("ctr", ["--address", socket, ...parameters], { environment }),
      async close() {
        await server.close();
        await remove();
      },
    };
  } catch (error) {
    await remove();
    throw error;
  }
}
