import { UsageError } from "./command.ts";
import { parseCommandLine } from "./command-line.ts";

/** What is said of `--config` in a command's help. */
export const configHelp = "  -c, --config FILE  the configuration, in YAML or JSON";

/** Reads `--config FILE` from a command that takes nothing else. */
export function configFile(parameters: readonly string[]): string {
  const { values, positionals } = parseCommandLine({
    args: [...parameters],
    options: { config: { type: "string", short: "c" } },
    allowPositionals: true,
  });
  if (positionals[0] !== undefined) throw new UsageError(`unexpected ${positionals[0]}`);
  if (values.config === undefined) throw new UsageError("--config FILE is required");
  return values.config;
}
