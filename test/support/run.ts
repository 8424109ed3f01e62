import { type ExecFileOptions, execFile, spawn } from "node:child_process";
import { startable } from "../programs/startable.ts";

/**
 * Runs a program to its end.
 *
 * @param program A name of the list in `test/programs`, as a literal, or the path of what the tests brought themselves.
 * @returns what it wrote to its standard output.
 * @throws {Error} with everything it wrote, when it could not be started, failed, or took longer than
 * `options.timeout` milliseconds (default five minutes).
 */
export async function run(program: string, args: readonly string[], options: ExecFileOptions = {}): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const settings = { timeout: 300_000, maxBuffer: 64 * 1024 * 1024, ...options, encoding: "utf8" as const };
  execFile(startable(program), args, settings, (error, stdout, stderr) => {
    if (error === null) return resolve(stdout);
    reject(new Error(`${[program, ...args].join(" ")}: ${error.message}\n${stdout}${stderr}`, { cause: error }));
  });
  return promise;
}

/** What a command came to. */
export interface CommandResult {
  /** `null` where a signal ended it. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandOptions {
  /** Written to its standard input. */
  readonly input?: string | Uint8Array;
  /** The current directory. */
  readonly directory?: string;
  /** Added to the environment of the tests. */
  readonly environment?: Readonly<Record<string, string>>;
  /** The numbers of the user and the group that it runs as. */
  readonly uid?: number;
  readonly gid?: number;
}

/**
 * Runs a program to its end, whatever that is.
 *
 * @param program As for {@link run}.
 * @throws {Error} when it could not be started.
 */
export async function runCommand(
  program: string,
  parameters: readonly string[],
  { input = "", directory, environment, uid, gid }: CommandOptions = {},
): Promise<CommandResult> {
  const env = { ...process.env, ...environment };
  const child = spawn(startable(program), [...parameters], { cwd: directory, env, uid, gid });
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (chunk: Buffer) => {
    stdout += chunk.toString();
  });
  child.stderr.on("data", (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  // A program that ends early does not read what it is given.
  child.stdin.on("error", () => {});
  child.stdin.end(input);
  return new Promise((resolve, reject) => {
    child.once("error", (error) => reject(new Error(`${program}: ${error.message}`, { cause: error })));
    child.once("close", (code) => resolve({ code, stdout, stderr }));
  });
}
