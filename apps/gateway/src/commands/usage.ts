import type { Command } from "./command.ts";

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
