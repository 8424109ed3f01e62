import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { startable } from "../programs/startable.ts";
import { freePort } from "../support/free-port.ts";
import { gateCommand } from "../support/gate.ts";

/** A gate whose standard output goes where the test says, and which therefore tells nobody where it listens. */
export interface GateWithOutput {
  readonly url: string;
  /** Of the gate itself. */
  readonly pid: number;
  readonly process: ChildProcess;
  /** What it has written to its standard error. */
  errors(): string;
  /** Resolves with its exit code, or the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals | null>;
  /** Ends it by its process id, if it still runs. */
  close(): Promise<void>;
}

const timeLimit = 30_000;

export interface OutputSettings {
  /** Without `listen`. */
  readonly configuration: object;
  /** Of `listen`, beside the address. */
  readonly listen?: object;
  /** Further files of its directory: path to content. */
  readonly files: Readonly<Record<string, string>>;
  /** A file descriptor, or `pipe`. */
  readonly output: number | "pipe";
  /** Whether it writes to a terminal, and what that shows goes to `output`. Then `process` is the terminal's. */
  readonly onTerminal?: boolean;
}

/** Starts `registry-gate serve` on a free port. */
export async function startGateWithOutput(settings: OutputSettings): Promise<GateWithOutput> {
  const { configuration, listen: more = {}, files, output, onTerminal = false } = settings;
  const directory = await mkdtemp(join(tmpdir(), "registry-gate-output-"));
  const port = await freePort();
  const listen = { address: `127.0.0.1:${port}`, ...more };
  await writeFile(join(directory, "gate.yaml"), JSON.stringify({ listen, ...configuration }));
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(directory, name)), { recursive: true });
    await writeFile(join(directory, name), content);
  }
  const command = [...gateCommand, "serve", "--config", "gate.yaml"];
  const shellCommand = `echo $$ > pid; exec ${command.map((word) => `'${word}'`).join(" ")}`;
  const [program = "", ...parameters] = onTerminal
    ? [startable("script"), "--quiet", "--return", "--command", shellCommand, "/dev/null"]
    : command;
  const child = spawn(program, parameters, { cwd: directory, stdio: ["ignore", output, "pipe"] });
  let said = "";
  child.stderr?.on("data", (chunk: Buffer) => {
    said += chunk.toString();
  });
  const ended = once(child, "exit").then(
    ([code, signal]: (number | NodeJS.Signals | null)[]) => code ?? signal ?? null,
  );
  let pid = child.pid;
  const close = async (): Promise<void> => {
    for (const each of new Set([pid, child.pid])) if (each !== undefined) kill(each);
    await ended;
    await rm(directory, { recursive: true, force: true });
  };
  const deadline = performance.now() + timeLimit;
  while (!(await accepts(port))) {
    if (child.exitCode !== null || performance.now() > deadline) {
      await close();
      throw new Error(`the gate does not listen: ${said}`);
    }
    await delay(50);
  }
  if (onTerminal) pid = Number(await readFile(join(directory, "pid"), "utf8"));
  if (pid === undefined) throw new Error("the gate has no process id");
  return { pid, url: `http://127.0.0.1:${port}`, process: child, errors: () => said, ended, close };
}

/** Ends a process that this file has started, if it still runs. */
function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
  }
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}
