import { type ExecFileOptions, execFile } from "node:child_process";

/**
 * Runs a program to its end.
 *
 * @returns what it wrote to its standard output.
 * @throws {Error} with everything it wrote, when it could not be started, failed, or took longer than
 * `options.timeout` milliseconds (default five minutes).
 */
export function run(program: string, args: readonly string[], options: ExecFileOptions = {}): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const settings = { timeout: 300_000, maxBuffer: 64 * 1024 * 1024, ...options, encoding: "utf8" as const };
  execFile(program, args, settings, (error, stdout, stderr) => {
    if (error === null) resolve(stdout);
    else reject(new Error(`${[program, ...args].join(" ")}: ${error.message}\n${stdout}${stderr}`, { cause: error }));
  });
  return promise;
}
