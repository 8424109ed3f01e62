import { type ParseArgsConfig, parseArgs } from "node:util";

/** A subcommand of `registry-gate`. */
export interface Command {
  readonly name: string;
  /** What stands behind the name, for the usage. */
  readonly synopsis: string;
  /** One line. */
  readonly summary: string;
  /** What else its user should know: lines of options, of what is read and printed, and of exit codes. */
  readonly details: readonly string[];
  /** Gets what stands behind the name; resolves to the exit code. */
  run(parameters: readonly string[]): Promise<number>;
}

/** The command line is not one that is known. Exit code 2. */
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
    // The first sentence says it; the others tell programmers of `parseArgs` what to do.
    const [sentence = ""] = (error instanceof Error ? error.message : String(error)).split(/\.?(?:\s*\n|\. )/, 1);
    throw new UsageError(sentence, { cause: error });
  }
}

/** The line that a command is called by. */
export function usageOf({ name, synopsis }: Command): string {
  return `usage: registry-gate ${`${name} ${synopsis}`.trimEnd()}\n`;
}

/** Everything that there is to know about calling a command. */
export function helpOf(command: Command): string {
  const { summary, details } = command;
  return [usageOf(command), `${summary[0]?.toUpperCase()}${summary.slice(1)}.`, "", ...details, ""].join("\n");
}

/** What commands there are. */
export function overviewOf(commands: readonly Command[]): string {
  const width = Math.max(...commands.map(({ name }) => name.length));
  return [
    "usage: registry-gate COMMAND",
    "",
    ...commands.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`),
    "",
    "registry-gate help COMMAND tells more; registry-gate --version tells the version.",
    "",
  ].join("\n");
}
