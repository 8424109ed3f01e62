/**
 * Takes each guard out of a copy of the workspace in turn, and runs the tests that must fail then. Ends with 1 where one
 * did not.
 */
import { parseArgs } from "node:util";
import type { Guard } from "./guard.ts";
import { guards } from "./guards.ts";
import { runTests } from "./run-tests.ts";
import { takeOut } from "./take-out.ts";
import { copyWorkspace, type WorkspaceCopy } from "./workspace-copy.ts";

const usage = `usage: npx --yes pnpm@12 guards [NAME ...]

Takes each guard out of a copy of the workspace in turn, and runs the tests that must fail then.
Ends with 1 where one did not.

  NAME  of ${guards.map(({ name }) => name).join(", ")}; by default all
`;

async function run(): Promise<number> {
  const { values, positionals } = parseArgs({ allowPositionals: true, options: { help: { type: "boolean" } } });
  if (values.help === true) {
    process.stdout.write(usage);
    return 0;
  }
  const unknown = positionals.filter((wanted) => !guards.some(({ name }) => name === wanted));
  if (unknown.length > 0) throw new TypeError(`no such guard: ${unknown.join(", ")}`);
  const chosen = guards.filter(({ name }) => positionals.length === 0 || positionals.includes(name));
  const copy = await copyWorkspace();
  try {
    const files = [...new Set(chosen.flatMap(({ tests }) => tests))];
    const whole = await runTests(copy.directory, files);
    if (whole.failed.size > 0 || whole.count === 0) {
      process.stderr.write(`with every guard in its place, these fail: ${[...whole.failed.keys()].join(", ")}\n`);
      return 1;
    }
    let survived = 0;
    for (const guard of chosen) {
      const surviving = await survivors(guard, copy);
      if (surviving.length > 0) survived++;
    }
    process.stdout.write(
      survived === 0 ? "each guard is held by its tests\n" : `guards that no test holds: ${survived}\n`,
    );
    return survived === 0 ? 0 : 1;
  } finally {
    await copy.remove();
  }
}

/** The tests of a guard that pass without it. */
async function survivors(guard: Guard, copy: WorkspaceCopy): Promise<readonly string[]> {
  const before = await copy.read(guard.file);
  await copy.write(guard.file, takeOut(guard, before));
  try {
    const { failed } = await runTests(copy.directory, guard.tests);
    const surviving = guard.tests.filter((file) => !failed.has(file));
    process.stdout.write(`${surviving.length === 0 ? "held    " : "SURVIVED"} ${guard.name}\n`);
    for (const file of guard.tests) {
      const [title, ...more] = failed.get(file) ?? [];
      const others = more.length === 0 ? "" : ` and ${more.length} more`;
      process.stdout.write(title === undefined ? `  ${file} passes\n` : `  ${file}: ${oneLine(title)}${others}\n`);
    }
    return surviving;
  } finally {
    await copy.write(guard.file, before);
  }
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, " ").slice(0, 120);
}

try {
  process.exitCode = await run();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
  process.exitCode = error instanceof TypeError ? 2 : 1;
}
