import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from "node:fs/promises";
import { get } from "node:http";
import { get as getSecure } from "node:https";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { gateProgram } from "./gate-program.ts";
import { type ReadServer, startLoggedServer } from "./logged-server.ts";

/** The command line that runs `registry-gate` from source. */
export const gateCommand: readonly [program: string, ...parameters: string[]] = [
  process.execPath,
  // Of the packages of this workspace that a configuration names, the source is taken.
  "--conditions=development",
  gateProgram(),
];

/** `registry-gate serve` in a process of its own. */
export interface RunningGate extends ReadServer {
  /** `http://` or `https://`, host and port. */
  readonly url: string;
  /** Where its configuration and the files that it names are; removed when the gate is closed. */
  readonly directory: string;
  /** Puts a file of the gate's directory in place at one stroke. */
  put(name: string, content: string): Promise<void>;
  /** Puts another configuration in place. */
  configure(configuration: object): Promise<void>;
  /**
   * Resolves when {@link ReadServer.lines} and {@link ReadServer.output} have what it logged of the requests that it has
   * responded to: by the line of a later request, which this sends. For a gate of one process.
   */
  settled(): Promise<void>;
}

export interface GateSettings {
  /** Default `serve`. */
  readonly command?: "serve" | "portal";
  /** As in the configuration's file. `listen.address` is commonly `127.0.0.1:0`. */
  readonly configuration: object;
  /** Added to the environment of the tests. */
  readonly environment?: Readonly<Record<string, string>>;
  /** The command line of the command itself, in place of {@link gateCommand}. */
  readonly program?: typeof gateCommand;
  /** Options of Node itself, such as `--expose-gc`. */
  readonly nodeOptions?: readonly string[];
  /** Takes the lines of the log in place of {@link ReadServer.lines}: for a log too long to be kept. */
  readonly onLine?: (text: string) => void;
  /** Further files of its directory: name to content. */
  readonly files?: Readonly<Record<string, string>>;
  /** Packages that are installed there: name to directory. */
  readonly packages?: Readonly<Record<string, string>>;
}

const configurationFile = "registry-gate.yaml";

/** Starts a gate with the configuration and files given, in a directory of its own. */
export async function startGate(settings: GateSettings): Promise<RunningGate> {
  const {
    configuration,
    files = {},
    packages = {},
    nodeOptions = [],
    environment,
    onLine,
    program = gateCommand,
  } = settings;
  const directory = await mkdtemp(join(tmpdir(), "registry-gate-gate-"));
  const put = async (name: string, content: string): Promise<void> => {
    const path = join(directory, name);
    await writeFile(`${path}.new`, content);
    await rename(`${path}.new`, path);
  };
  // JSON is YAML too.
  const configure = (next: object): Promise<void> => put(configurationFile, JSON.stringify(next));
  for (const [name, content] of Object.entries(files)) await put(name, content);
  for (const [name, place] of Object.entries(packages)) {
    const installed = join(directory, "node_modules", name);
    await mkdir(dirname(installed), { recursive: true });
    await symlink(place, installed);
  }
  await configure(configuration);
  try {
    const [command, ...before] = program;
    let secure = false;
    const server = await startLoggedServer({
      command,
      parameters: [...nodeOptions, ...before, settings.command ?? "serve", "--config", configurationFile],
      directory,
      log: "stdout",
      ...(environment !== undefined && { environment }),
      ...(onLine !== undefined && { onLine }),
      ...(environment !== undefined && { environment }),
      addressIn({ event, address, tls }) {
        if (event !== "listening" || typeof address !== "string") return undefined;
        secure = tls === true;
        return address;
      },
    });
    const url = `${secure ? "https" : "http"}://${server.address}`;
    return {
      ...server,
      url,
      directory,
      put,
      configure,
      settled: () => settled(url, server),
      async close() {
        await server.close();
        await rm(directory, { recursive: true, force: true });
      },
    };
  } catch (error) {
    await rm(directory, { recursive: true, force: true });
    throw error;
  }
}

/** {@link RunningGate.settled} for a gate that was started otherwise. */
export async function settled(url: string, log: Pick<ReadServer, "logged">): Promise<void> {
  const last = await requestIdOf(`${url}/v2/`);
  await log.logged(({ requestId }) => requestId === last);
}

/** Sends a request on a connection of its own. @returns the id that the gate has given it. */
function requestIdOf(url: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const options = { agent: false, rejectUnauthorized: false };
    const send = url.startsWith("https:") ? getSecure : get;
    const request = send(url, options, (response) => {
      response.resume().once("end", () => resolve(response.headers["x-request-id"]));
    });
    request.once("error", reject);
  });
}
