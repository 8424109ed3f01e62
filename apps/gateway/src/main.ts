#!/usr/bin/env node
import { readFileSync } from "node:fs";
import { check } from "./commands/check.ts";
import { type Command, UsageError } from "./commands/command.ts";
import { explain } from "./commands/explain.ts";
import { passwd } from "./commands/passwd.ts";
import { schema } from "./commands/schema.ts";
import { serve } from "./commands/serve.ts";
import { oneLine } from "./plugins.ts";

const commands: readonly Command[] = [serve, check, explain, passwd, schema];

const usage = [
  "usage: registry-gate COMMAND",
  "",
  ...commands.flatMap(({ name, synopsis, summary }) => [`  ${`${name} ${synopsis}`.trimEnd()}`, `      ${summary}`]),
  "",
].join("\n");

async function run([name, ...parameters]: readonly string[]): Promise<number> {
  if (name === "--help" || name === "-h" || name === "help") return print(usage);
  if (name === "--version") return print(`${version()}\n`);
  const command = commands.find((known) => known.name === name);
  if (command === undefined) throw new UsageError(name === undefined ? "no command" : `${name} is not a command`);
  if (parameters.includes("--help")) return print(usage);
  return command.run(parameters);
}

function print(text: string): number {
  process.stdout.write(text);
  return 0;
}

function version(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
  return typeof manifest === "object" && manifest !== null && "version" in manifest ? String(manifest.version) : "";
}

try {
  process.exitCode = await run(process.argv.slice(2));
} catch (error) {
  const wrongUsage = error instanceof UsageError;
  process.stderr.write(`registry-gate: ${oneLine(error)}\n${wrongUsage ? `\n${usage}` : ""}`);
  process.exitCode = wrongUsage ? 2 : 1;
}
