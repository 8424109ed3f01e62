import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { startable } from "../programs/startable.ts";

/** A server in a process of its own. */
export interface RunningServer {
  /** `host:port` */
  readonly address: string;
  /** Ends it by its process id, and waits until it has ended. */
  close(): Promise<void>;
}

/** One line of a log in JSON. */
export type LogLine = Readonly<Record<string, unknown>>;

/** A server whose log is read. */
export interface ReadServer extends RunningServer {
  readonly pid: number;
  /** Everything that it has written so far, on both outputs. */
  output(): string;
  /** What it has written so far on the output that is not its log. */
  besideLog(): string;
  /** How it ended: its exit code, or the signal that ended it; `undefined` while it runs. */
  exit(): number | NodeJS.Signals | undefined;
  /** Every line of the log so far. */
  lines(): readonly LogLine[];
  /** The first line, of those so far and those to come, that is as wanted. Rejects when none comes in time. */
  logged(wanted: (line: LogLine) => boolean): Promise<LogLine>;
  kill(signal: NodeJS.Signals): void;
  /** Resolves with its exit code, or the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals | null>;
}

export interface LoggedServer {
  /** A name of the list in `test/programs`, as a literal, or a path. */
  readonly command: string;
  readonly parameters: readonly string[];
  readonly directory: string;
  /** Added to the environment of the tests. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Which of its outputs has the log, one JSON object a line. */
  readonly log: "stdout" | "stderr";
  /** Takes the lines of the log in place of {@link ReadServer.lines}: for a log too long to be kept. */
  readonly onLine?: (text: string) => void;
  /** Finds the address in the line of the log that tells it. */
  readonly addressIn: (line: LogLine) => string | undefined;
}

const timeLimit = 30_000;
const mostKept = 10_000;

/** Starts a server that tells in its log where it listens. Rejects with what it said where it does not come so far. */
export async function startLoggedServer(server: LoggedServer): Promise<ReadServer> {
  const child = spawn(startable(server.command), [...server.parameters], {
    cwd: server.directory,
    env: { ...process.env, ...server.environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const { promise: ended, resolve: end } = Promise.withResolvers<number | NodeJS.Signals | null>();
  child.once("close", (code, signal) => end(code ?? signal));
  let said = "";
  const remember = (chunk: Buffer): void => {
    // Of a long log the beginning tells why a server did not start.
    if (server.onLine === undefined || said.length < mostKept) said += chunk.toString();
  };
  child.stdout.on("data", remember);
  child.stderr.on("data", remember);
  let beside = "";
  child[server.log === "stdout" ? "stderr" : "stdout"].on("data", (chunk: Buffer) => {
    if (beside.length < mostKept) beside += chunk.toString();
  });
  const log = readLog(child[server.log], server.onLine);
  const listening = log.logged((line) => server.addressIn(line) !== undefined);
  // Where the server fails, that is what is told.
  listening.catch(() => {});
  try {
    const line = await Promise.race([listening, failure(child, server, () => said)]);
    return {
      ...log,
      address: server.addressIn(line) ?? "",
      pid: child.pid ?? 0,
      output: () => said,
      besideLog: () => beside,
      exit: () => child.exitCode ?? child.signalCode ?? undefined,
      kill: (signal) => void child.kill(signal),
      ended,
      close: () => stop(child),
    };
  } catch (error) {
    await stop(child);
    throw error;
  }
}

function readLog(log: Readable, onLine?: (text: string) => void): Pick<ReadServer, "lines" | "logged"> {
  const lines: LogLine[] = [];
  const waiting = new Set<(line: LogLine) => void>();
  createInterface({ input: log }).on("line", (text) => {
    onLine?.(text);
    if (onLine !== undefined && waiting.size === 0) return;
    const line = jsonObject(text);
    if (line === undefined) return;
    if (onLine === undefined) lines.push(line);
    for (const offer of waiting) offer(line);
  });
  return {
    lines: () => lines,
    logged: (wanted) =>
      new Promise((resolve, reject) => {
        const found = lines.find(wanted);
        if (found !== undefined) return resolve(found);
        const timer = setTimeout(() => {
          waiting.delete(offer);
          reject(new Error(`no such line in the log within ${timeLimit} ms: ${wanted}`));
        }, timeLimit);
        const offer = (line: LogLine): void => {
          if (!wanted(line)) return;
          waiting.delete(offer);
          clearTimeout(timer);
          resolve(line);
        };
        waiting.add(offer);
        timer.unref();
      }),
  };
}

function failure(child: ChildProcess, server: LoggedServer, said: () => string): Promise<never> {
  return new Promise((_resolve, reject) => {
    const fail = (reason: string): void => reject(new Error(`${server.command} ${reason}\n${said()}`));
    const timer = setTimeout(() => fail(`did not say where it listens in ${timeLimit} ms`), timeLimit);
    timer.unref();
    child.once("error", (error) => fail(error.message));
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

function jsonObject(text: string): LogLine | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is LogLine {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
