import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";

/** A server in a process of its own. */
export interface RunningServer {
  /** `host:port` */
  readonly address: string;
  close(): Promise<void>;
}

export interface LoggedServer {
  readonly command: string;
  readonly parameters: readonly string[];
  readonly directory: string;
  /** Which of its outputs has the log, one JSON object a line. */
  readonly log: "stdout" | "stderr";
  /** Finds the address in the line of the log that tells it. */
  readonly addressIn: (line: Readonly<Record<string, unknown>>) => string | undefined;
  /** Said where the command does not exist. */
  readonly whenMissing: string;
}

const patience = 30_000;

/** Starts a server that tells in its log where it listens. Rejects with what it said where it does not come so far. */
export async function startLoggedServer(server: LoggedServer): Promise<RunningServer> {
  const child = spawn(server.command, [...server.parameters], {
    cwd: server.directory,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const said: string[] = [];
  child.stdout.on("data", (chunk: Buffer) => remember(said, chunk));
  child.stderr.on("data", (chunk: Buffer) => remember(said, chunk));
  try {
    const address = await Promise.race([addressFrom(child[server.log], server), failure(child, server, said)]);
    return { address, close: () => stop(child) };
  } catch (error) {
    await stop(child);
    throw error;
  }
}

function remember(said: string[], chunk: Buffer): void {
  said.push(chunk.toString());
  if (said.length > 20) said.shift();
}

function addressFrom(log: Readable, server: LoggedServer): Promise<string> {
  return new Promise((resolve) => {
    createInterface({ input: log }).on("line", (text) => {
      const line = jsonObject(text);
      const address = line === undefined ? undefined : server.addressIn(line);
      if (address !== undefined) resolve(address);
    });
  });
}

function failure(child: ChildProcess, server: LoggedServer, said: readonly string[]): Promise<never> {
  return new Promise((_resolve, reject) => {
    const fail = (reason: string): void => reject(new Error(`${server.command} ${reason}\n${said.join("")}`));
    const timer = setTimeout(() => fail(`did not say where it listens in ${patience} ms`), patience);
    timer.unref();
    child.once("error", (error: NodeJS.ErrnoException) =>
      fail(error.code === "ENOENT" ? `is missing: ${server.whenMissing}` : error.message),
    );
    // Closed, and not exited: what it said last has been read by then.
    child.once("close", (code) => fail(`ended with ${code}`));
  });
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), 5000);
  await exited;
  clearTimeout(timer);
}

function jsonObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
