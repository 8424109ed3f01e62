import { parseArgs } from "node:util";
import { UsageError } from "./command.ts";

/** Reads `--config FILE` from a command that takes nothing else. */
export function configFile(parameters: readonly string[]): string {
  const { values, positionals } = parse(parameters);
  if (positionals[0] !== undefined) throw new UsageError(`unexpected ${positionals[0]}`);
  if (values.config === undefined) throw new UsageError("--config FILE is required");
  return values.config;
}

function parse(parameters: readonly string[]): { values: { config?: string | undefined }; positionals: string[] } {
  try {
    const options = { config: { type: "string", short: "c" } } as const;
    return parseArgs({ args: [...parameters], options, allowPositionals: true });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}
