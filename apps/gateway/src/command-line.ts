/** Picks the command that the command line names, and runs it. */
import { didYouMean, guardProcess } from "@registry-gate/auth-kit";
import { type Command, helpOf, overviewOf, UsageError } from "./commands/command.ts";
import { helpFlags, misused, print, runCommand } from "./commands/run-command.ts";
import { oneLine } from "./one-line.ts";
import { version } from "./version.ts";

/** The commands by their names, in the order of the overview. Each is loaded when it is called for. */
const commands: ReadonlyMap<string, () => Promise<Command>> = new Map([
  ["serve", async () => (await import("./commands/serve.ts")).serve],
  ["portal", async () => (await import("./commands/portal.ts")).portal],
  ["check", async () => (await import("./commands/check.ts")).check],
  ["explain", async () => (await import("./commands/explain.ts")).explain],
  ["why", async () => (await import("./commands/why.ts")).why],
  ["doctor", async () => (await import("./commands/doctor.ts")).doctor],
  ["passwd", async () => (await import("./commands/passwd.ts")).passwd],
  ["keys", async () => (await import("./commands/keys.ts")).keys],
  ["token", async () => (await import("./commands/token/configured-token.ts")).token],
  ["health", async () => (await import("./commands/health/health.ts")).health],
  ["schema", async () => (await import("./commands/schema.ts")).schema],
  ["import", async () => (await import("./commands/import.ts")).importCommand],
]);

const allCommands = (): Promise<readonly Command[]> => Promise.all([...commands.values()].map((load) => load()));

async function run([name, ...parameters]: readonly string[]): Promise<number> {
  if (name === "help" || (name !== undefined && helpFlags.includes(name))) {
    const [about] = parameters;
    return print(about === undefined ? overviewOf(await allCommands()) : helpOf(await named(about)));
  }
  if (name === "--version") return print(`${version()}\n`);
  return runCommand(await named(name), parameters);
}

function named(name: string | undefined): Promise<Command> {
  if (name === undefined) throw new UsageError("no command");
  const load = commands.get(name);
  if (load !== undefined) return load();
  throw new UsageError(`${name} is not a command${didYouMean(name, [...commands.keys()])}`);
}

// `check` and `explain` ask backends too.
guardProcess();
try {
  process.exitCode = await run(process.argv.slice(2));
} catch (error) {
  if (error instanceof UsageError) process.exitCode = misused(oneLine(error), overviewOf(await allCommands()));
  else {
    process.stderr.write(`registry-gate: ${oneLine(error)}\n`);
    process.exitCode = 1;
  }
}
