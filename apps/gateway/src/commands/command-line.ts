import { type ParseArgsConfig, parseArgs } from "node:util";
import { UsageError } from "./command.ts";

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
