/** Picks the command that the command line names, and runs it. */
import { didYouMean, guardProcess } from "@registry-gate/auth-kit";
import { check } from "./commands/check.ts";
import { type Command, helpOf, overviewOf, UsageError } from "./commands/command.ts";
import { doctor } from "./commands/doctor.ts";
import { explain } from "./commands/explain.ts";
import { health } from "./commands/health/health.ts";
import { importCommand } from "./commands/import.ts";
import { keys } from "./commands/keys.ts";
import { passwd } from "./commands/passwd.ts";
import { helpFlags, misused, print, runCommand } from "./commands/run-command.ts";
import { schema } from "./commands/schema.ts";
import { serve } from "./commands/serve.ts";
import { openConfiguredState } from "./commands/token/open-state.ts";
import { createTokenCommand } from "./commands/token/token.ts";
import { why } from "./commands/why.ts";
import { oneLine } from "./one-line.ts";
import { version } from "./version.ts";

const commands: readonly Command[] = [
  serve,
  check,
  explain,
  why,
  doctor,
  passwd,
  keys,
  createTokenCommand(openConfiguredState),
  health,
  schema,
  importCommand,
];

async function run([name, ...parameters]: readonly string[]): Promise<number> {
  if (name === "help" || (name !== undefined && helpFlags.includes(name))) {
    const [about] = parameters;
    return print(about === undefined ? overviewOf(commands) : helpOf(named(about)));
  }
  if (name === "--version") return print(`${version()}\n`);
  return runCommand(named(name), parameters);
}

function named(name: string | undefined): Command {
  const command = commands.find((known) => known.name === name);
  if (command !== undefined) return command;
  if (name === undefined) throw new UsageError("no command");
  throw new UsageError(
    `${name} is not a command${didYouMean(
      name,
      commands.map((known) => known.name),
    )}`,
  );
}

// `check` and `explain` ask backends too.
guardProcess();
try {
  process.exitCode = await run(process.argv.slice(2));
} catch (error) {
  if (error instanceof UsageError) process.exitCode = misused(oneLine(error), overviewOf(commands));
  else {
    process.stderr.write(`registry-gate: ${oneLine(error)}\n`);
    process.exitCode = 1;
  }
}
