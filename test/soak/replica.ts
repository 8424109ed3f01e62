import { mkdir, readdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gateCommand } from "../support/gate.ts";
import { type ReadServer, startLoggedServer } from "../support/logged-server.ts";

/** One of the gates behind the front. It comes back on the same port, with its directory as it was. */
export interface Replica {
  readonly name: string;
  readonly directory: string;
  readonly port: number;
  /** Of the process that was started last. */
  pid(): number;
  /** The processes of its workers. */
  workers(): Promise<readonly number[]>;
  /** Puts a file of its directory in place at one stroke. */
  put(name: string, content: string | Buffer): Promise<void>;
  /** Ends it by a signal and starts it again. */
  restart(signal: "SIGTERM" | "SIGKILL"): Promise<void>;
  /** Ends it as a supervisor does. */
  close(): Promise<void>;
}

/** What a replica says of itself while it runs. */
export interface ReplicaEvents {
  /** A line of its log; of its standard error where it is no log. */
  onLine(line: string): void;
  /** It ended without having been told to. */
  onEnd(how: string): void;
}

export const configurationFile = "registry-gate.yaml";

/** @param directory Where its configuration is. */
export async function startReplica(
  name: string,
  directory: string,
  port: number,
  { onLine, onEnd }: ReplicaEvents,
): Promise<Replica> {
  let ending = false;
  const launch = async (): Promise<ReadServer> => {
    const [command, ...before] = gateCommand;
    const server = await startLoggedServer({
      command,
      parameters: [...before, "serve", "--config", configurationFile],
      directory,
      log: "stdout",
      onLine,
      addressIn: ({ event, address }) => (event === "listening" && typeof address === "string" ? address : undefined),
    });
    void server.ended.then((how) => {
      if (!ending) onEnd(`${name} ended with ${how}: ${server.besideLog()}`);
    });
    return server;
  };
  let server = await launch();

  async function end(signal: "SIGTERM" | "SIGKILL"): Promise<void> {
    ending = true;
    server.kill(signal);
    const how = await server.ended;
    if (signal === "SIGTERM" && how !== 0) onEnd(`${name} ended with ${how} after SIGTERM: ${server.besideLog()}`);
  }

  return {
    name,
    directory,
    port,
    pid: () => server.pid,
    workers: () => childrenOf(server.pid),
    async put(file, content) {
      const path = join(directory, file);
      await writeFile(`${path}.new`, content);
      await rename(`${path}.new`, path);
    },
    async restart(signal) {
      await end(signal);
      server = await launch();
      ending = false;
    },
    close: () => end("SIGTERM"),
  };
}

/** The processes that a process has started and that still run. */
async function childrenOf(pid: number): Promise<readonly number[]> {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, "utf8").catch(() => "");
  return text
    .split(" ")
    .filter((word) => word !== "")
    .map(Number);
}

/** How many descriptors a process has open. */
export async function descriptorsOf(pid: number): Promise<number> {
  return (await readdir(`/proc/${pid}/fd`)).length;
}

/** Makes the directory of a replica. */
export async function replicaDirectory(parent: string, name: string): Promise<string> {
  const directory = join(parent, name);
  await mkdir(directory);
  return directory;
}
