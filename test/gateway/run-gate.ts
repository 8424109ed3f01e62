import { spawn } from "node:child_process";
import { gateCommand } from "../support/gate.ts";

export interface CommandResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  /** Written to its standard input. */
  readonly input?: string;
  /** The current directory. */
  readonly directory?: string;
  /** As a user without any rights, where the test has the right to become one. */
  readonly asNobody?: boolean;
}

const nobody = 65_534;

/** Runs a command of `registry-gate` to its end. */
export function runGate(parameters: readonly string[], options: RunOptions = {}): Promise<CommandResult> {
  const [program, ...before] = gateCommand;
  // Root may read every file.
  const drop = options.asNobody === true && process.getuid?.() === 0 ? { uid: nobody, gid: nobody } : {};
  const child = spawn(program, [...before, ...parameters], { ...drop, cwd: options.directory });
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (piece: Buffer) => {
    stdout += piece.toString();
  });
  child.stderr.on("data", (piece: Buffer) => {
    stderr += piece.toString();
  });
  child.stdin.on("error", () => {});
  child.stdin.end(options.input ?? "");
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve({ code, stdout, stderr }));
  });
}
