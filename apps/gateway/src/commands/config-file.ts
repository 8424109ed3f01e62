import { type Fault, formatFault } from "@registry-gate/auth";
import { parseCommandLine, UsageError } from "./command.ts";

/** The line on `--config` in a command's help. */
export const configHelp = "  -c, --config FILE  the configuration, in YAML or JSON";

/** `--config FILE`, among the options of a command. */
export const configOption = { config: { type: "string", short: "c" } } as const;

/** Reads `--config FILE` from a command that takes nothing else. */
export function configFile(parameters: readonly string[]): string {
  const { values, positionals } = parseCommandLine({
    args: [...parameters],
    options: configOption,
    allowPositionals: true,
  });
  return requireConfig(values, positionals);
}

/** @throws {UsageError} where the option is missing, or there are positional parameters. */
export function requireConfig({ config }: { config?: string | undefined }, positionals: readonly string[]): string {
  if (positionals[0] !== undefined) throw new UsageError(`unexpected ${positionals[0]}`);
  if (config === undefined) throw new UsageError("--config FILE is required");
  return config;
}

/** Writes each fault as a line on standard error: the file, the key's path, and the message. */
export function reportFaults(file: string, faults: readonly Fault[]): void {
  for (const fault of faults) process.stderr.write(`${file}: ${formatFault(fault)}\n`);
}
