/**
 * Takes each guard out of a copy of the workspace in turn, and runs the tests that must fail then. Ends with 1 where one
 * did not.
 */
import { rmSync } from "node:fs";
import { parseArgs } from "node:util";
import type { Guard } from "./guard.ts";
import { guards } from "./guards.ts";
import { runTests, type TestRun } from "./run-tests.ts";
import { takeOut } from "./take-out.ts";
import { copyWorkspace, type WorkspaceCopy } from "./workspace-copy.ts";

const usage = `usage: npx --yes pnpm@12 guards [NAME ...]

Takes each guard out of a copy of the workspace in turn, and runs the tests that must fail then. A guard is killed where
a test of each of its files fails, and survives where one passes. Ends with 1 where one survives.

  NAME  of the guards, or a part of a name with * for any text; by default all
  --list  prints the names
`;

type Outcome = "killed" | "survived" | "not decided";

async function run(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { help: { type: "boolean" }, list: { type: "boolean" } },
  });
  if (values.help === true) {
    process.stdout.write(usage);
    return 0;
  }
  const chosen = positionals.length === 0 ? guards : positionals.flatMap(named);
  if (values.list === true) {
    for (const { name, file } of chosen) process.stdout.write(`${name} ${file}\n`);
    return 0;
  }
  const copy = await copyWorkspace();
  process.once("exit", () => rmSync(copy.directory, { recursive: true, force: true }));
  const outcomes: Record<Outcome, string[]> = { killed: [], survived: [], "not decided": [] };
  const runIntact = remembered((file) => runTwice(copy, file));
  for (const guard of new Set(chosen)) outcomes[await judge(guard, copy, runIntact)].push(guard.name);
  const counts = Object.entries(outcomes).map(([outcome, names]) => `${names.length} ${outcome}`);
  process.stdout.write(`\n${counts.join(", ")}\n`);
  for (const outcome of ["survived", "not decided"] as const) {
    if (outcomes[outcome].length > 0) process.stdout.write(`${outcome}: ${outcomes[outcome].join(" ")}\n`);
  }
  return outcomes.survived.length + outcomes["not decided"].length === 0 ? 0 : 1;
}

function named(pattern: string): readonly Guard[] {
  const expression = new RegExp(`^${pattern.replaceAll(/[^\w*-]/g, "").replaceAll("*", ".*")}$`);
  const found = guards.filter(({ name }) => expression.test(name));
  if (found.length === 0) throw new TypeError(`no such guard: ${pattern}`);
  return found;
}

async function judge(
  guard: Guard,
  copy: WorkspaceCopy,
  runIntact: (file: string) => Promise<TestRun>,
): Promise<Outcome> {
  const lines: string[] = [];
  let outcome: Outcome = "killed";
  for (const file of guard.tests) {
    const intact = await runIntact(file);
    const run = intact.kind === "passed" ? await runWithout(guard, copy, file) : intact;
    if (intact.kind !== "passed" || run.kind === "broken") outcome = "not decided";
    else if (run.kind === "passed" && outcome === "killed") outcome = "survived";
    lines.push(`  ${file}${intact.kind === "passed" ? "" : ", with every guard in its place,"} ${describe(run)}`);
  }
  process.stdout.write(`${outcome.padEnd(11)} ${guard.name}\n${lines.join("\n")}\n`);
  return outcome;
}

async function runWithout(guard: Guard, copy: WorkspaceCopy, file: string): Promise<TestRun> {
  const before = await copy.read(guard.file);
  await copy.write(guard.file, takeOut(guard, before));
  try {
    return await runTests(copy.directory, file);
  } finally {
    await copy.write(guard.file, before);
  }
}

/** A busy machine can fail a test that waits for something, but hardly twice. */
async function runTwice({ directory }: WorkspaceCopy, file: string): Promise<TestRun> {
  const first = await runTests(directory, file);
  return first.kind === "passed" ? first : runTests(directory, file);
}

function remembered<T>(make: (key: string) => Promise<T>): (key: string) => Promise<T> {
  const known = new Map<string, Promise<T>>();
  return (key) => {
    const made = known.get(key) ?? make(key);
    known.set(key, made);
    return made;
  };
}

function describe(run: TestRun): string {
  switch (run.kind) {
    case "passed":
      return "passes";
    case "failed":
      return `fails: ${oneLine(run.title)}`;
    case "broken":
      return `says nothing: ${oneLine(run.reason)}`;
  }
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, " ").slice(0, 200);
}

// Without a listener the copy would stay, and so would the tests.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(1));
try {
  process.exitCode = await run();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
  process.exitCode = error instanceof TypeError ? 2 : 1;
}
