import { oneLine } from "../one-line.ts";
import { type Command, helpOf, UsageError, usageOf } from "./command.ts";

export const helpFlags: readonly string[] = ["--help", "-h"];

/**
 * Runs a command, or shows its help where that is asked for.
 *
 * @returns the exit code: 2 where the command line is invalid.
 */
export async function runCommand(command: Command, parameters: readonly string[]): Promise<number> {
  // What stands behind `--` is a value, though it may look like a flag.
  const flags = parameters.slice(0, parameters.concat("--").indexOf("--"));
  if (flags.some((flag) => helpFlags.includes(flag))) return print(helpOf(command));
  try {
    return await command.run(parameters);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    return misused(`${command.name}: ${oneLine(error)}`, usageOf(command));
  }
}

export function print(text: string): number {
  process.stdout.write(text);
  return 0;
}

export function misused(message: string, usage: string): number {
  process.stderr.write(`registry-gate: ${message}\n\n${usage}`);
  return 2;
}
