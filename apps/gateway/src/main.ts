#!/usr/bin/env node
// First, because this file may be started by its path.
import "./require-node.ts";

// Before the rest, so that it is in force before anything else runs.
import "./process/ignore-debug-signal.ts";

import { readFileSync } from "node:fs";
import { didYouMean, guardProcess } from "@registry-gate/auth-kit";
import { check } from "./commands/check.ts";
import { type Command, helpOf, overviewOf, UsageError, usageOf } from "./commands/command.ts";
import { explain } from "./commands/explain.ts";
import { importCommand } from "./commands/import.ts";
import { keys } from "./commands/keys.ts";
import { passwd } from "./commands/passwd.ts";
import { schema } from "./commands/schema.ts";
import { serve } from "./commands/serve.ts";
import { openConfiguredState } from "./commands/token/open-state.ts";
import { createTokenCommand } from "./commands/token/token.ts";
import { why } from "./commands/why.ts";
import { oneLine } from "./one-line.ts";

const commands: readonly Command[] = [
  serve,
  check,
  explain,
  why,
  passwd,
  keys,
  createTokenCommand(openConfiguredState),
  schema,
  importCommand,
];
const helpFlags = ["--help", "-h"];

async function run([name, ...parameters]: readonly string[]): Promise<number> {
  if (name === "help" || (name !== undefined && helpFlags.includes(name))) {
    const [about] = parameters;
    return print(about === undefined ? overviewOf(commands) : helpOf(named(about)));
  }
  if (name === "--version") return print(`${version()}\n`);
  const command = named(name);
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

function print(text: string): number {
  process.stdout.write(text);
  return 0;
}

function misused(message: string, usage: string): number {
  process.stderr.write(`registry-gate: ${message}\n\n${usage}`);
  return 2;
}

function version(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
  return typeof manifest === "object" && manifest !== null && "version" in manifest ? String(manifest.version) : "";
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
