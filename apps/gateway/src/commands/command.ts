import { type ParseArgsConfig, parseArgs } from "node:util";

/** A subcommand of `registry-gate`. */
export interface Command {
  readonly name: string;
  /** The parameters, for the usage. */
  readonly synopsis: string;
  /** One line. */
  readonly summary: string;
  /** Lines of help: options, input and output, and exit codes. */
  readonly details: readonly string[];
  /** Gets the parameters; resolves to the exit code. */
  run(parameters: readonly string[]): Promise<number>;
}

/** The command line is invalid. Exit code 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/**
 * Reads a command's parameters, as `parseArgs` does.
 *
 * @throws {UsageError} for an option that is not known, or that lacks its value.
 */
export function parseCommandLine<Config extends ParseArgsConfig>(config: Config): ReturnType<typeof parseArgs<Config>> {
  try {
    return parseArgs(config);
  } catch (error) {
    // The first sentence is the message; the others are for programmers who call `parseArgs`.
    const [sentence = ""] = (error instanceof Error ? error.message : String(error)).split(/\.?(?:\s*\n|\. )/, 1);
    throw new UsageError(sentence, { cause: error });
  }
}

/** The line that a command is called by. */
export function usageOf({ name, synopsis }: Command): string {
  return `usage: registry-gate ${`${name} ${synopsis}`.trimEnd()}\n`;
}

/** The help of one command. */
export function helpOf(command: Command): string {
  const { summary, details } = command;
  return [usageOf(command), `${summary[0]?.toUpperCase()}${summary.slice(1)}.`, "", ...details, ""].join("\n");
}

/** The list of commands. */
export function overviewOf(commands: readonly Command[]): string {
  const width = Math.max(...commands.map(({ name }) => name.length));
  return [
    "usage: registry-gate COMMAND",
    "",
    ...commands.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`),
    "",
    "registry-gate help COMMAND shows the details of a command; registry-gate --version prints the version.",
    "",
  ].join("\n");
}
