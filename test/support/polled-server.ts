import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { connect } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { startable } from "../programs/startable.ts";

/** A server that does not tell when it is ready. */
export interface PolledServer {
  readonly pid: number;
  /** What it has written so far. */
  output(): string;
  kill(signal: NodeJS.Signals): void;
  /** Ends it by its process id, and waits until it has ended. Calling it again does nothing. */
  close(): Promise<void>;
}

/** Where a server accepts connections: on a port, or on a socket in the file system. */
export type Place = { readonly host: string; readonly port: number } | { readonly path: string };

/** Ready is what accepts connections at its place. */
export type PolledServerSettings = Place & {
  /** A name of the list in `test/programs`, as a literal, or a path. */
  readonly command: string;
  readonly parameters: readonly string[];
  readonly directory: string;
  /** Added to the environment of the tests. */
  readonly environment?: Readonly<Record<string, string>>;
  /** A file that takes what it writes, in place of {@link PolledServer.output}: for a log too long to be kept. */
  readonly outputFile?: string;
};

/**
 * Starts a server.
 *
 * @returns why it ended, where it did before it was ready, such as when its port was taken meanwhile.
 * @throws {Error} where the program is missing.
 */
export async function tryPolledServer(settings: PolledServerSettings): Promise<PolledServer | string> {
  const { command, parameters, directory, environment, outputFile } = settings;
  const program = startable(command);
  const file = outputFile === undefined ? undefined : openSync(outputFile, "a");
  const output = file ?? "pipe";
  const child = spawn(program, [...parameters], {
    cwd: directory,
    stdio: ["ignore", output, output],
    env: { ...process.env, ...environment },
  });
  if (file !== undefined) closeSync(file);
  let said = "";
  let failed: string | undefined;
  const remember = (chunk: Buffer): void => {
    said += chunk.toString();
  };
  child.stdout?.on("data", remember);
  child.stderr?.on("data", remember);
  child.once("error", (error) => {
    failed = error.message;
  });
  child.once("exit", (code, signal) => {
    failed ??= `ended with ${code ?? signal}`;
  });
  const close = async (): Promise<void> => {
    if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, "exit");
    child.kill("SIGTERM");
    const timer = setTimeout(() => child.kill("SIGKILL"), 5000);
    await exited;
    clearTimeout(timer);
  };
  const timeLimit = performance.now() + 60_000;
  while (failed === undefined) {
    if (await accepts(settings)) {
      // It might be another server, which has taken the port before this one could.
      await delay(20);
      if (failed === undefined) {
        const kill = (signal: NodeJS.Signals): void => void child.kill(signal);
        return { pid: child.pid ?? 0, output: () => said, kill, close };
      }
    }
    if (performance.now() > timeLimit) failed = "does not accept connections";
    await delay(20);
  }
  await close();
  return `${command} ${failed}\n${said}`;
}

function accepts(place: Place): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(place);
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}
