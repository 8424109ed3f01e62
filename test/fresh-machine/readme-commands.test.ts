import { mkdir, readFile, writeFile } from "node:fs/promises";
import { delimiter, dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { run } from "../support/run.ts";
import { type Newcomer, newcomer } from "./newcomer.ts";

/** Long enough for everything to come from the package registry. */
const timeLimit = 900_000;

let somebody: Newcomer;
/** The README's first two commands. */
let commands: readonly string[];

beforeAll(async () => {
  // As where an administrator does not want npm to fetch programs unasked.
  somebody = await newcomer({ yes: "false" });
  const readme = await readFile(join(somebody.directory, "README.md"), "utf8");
  const [, block = ""] = /## Try it\n\n((?: {4}.*\n)+)/.exec(readme) ?? [];
  commands = block.split("\n").flatMap((line) => (line === "" ? [] : [line.replace(/#.*/, "").trim()]));
}, timeLimit);
afterAll(() => somebody?.leave());

test("the README's commands are those of a machine that has Node and npm", () => {
  expect(commands).toEqual(["npx --yes pnpm@12 demo", "npx --yes pnpm@12 test"]);
});

test("the demo starts on a fresh machine, by the README's command alone", { timeout: timeLimit }, async () => {
  const demo = somebody.start(`${commands[0]} --port 0`);
  await vi.waitFor(() => expect(demo.output()).toContain("Ctrl-C ends the demo"), { timeout: timeLimit - 60_000 });
  await demo.interrupt();
});

test("the tests run on a fresh machine, by the README's command alone", { timeout: timeLimit }, async () => {
  const { code, stdout, stderr } = await somebody.type(`${commands[1]} -- packages/auth/test/duration`);
  expect(stdout, stderr).toMatch(/Test Files\D+1 passed/);
  expect(code).toBe(0);
});

test("the fast loop runs where there is no pnpm on the path", { timeout: timeLimit }, async () => {
  const { code, stdout, stderr } = await somebody.type("npx --yes pnpm@12 test:unit -- packages/auth/");
  expect(stdout, stderr).toMatch(/Test Files\D+1 passed/);
  expect(code).toBe(0);
});

describe("the gate from a checkout", () => {
  test.each(["docs", "apps/portal", "a/folder/of/their/own"])(
    "reads what lies beside its user in %s",
    async (folder) => {
      const place = join(somebody.directory, folder);
      await mkdir(place, { recursive: true });
      await writeFile(join(place, "theirs.yaml"), "upstream: { url: nowhere }\n");
      const { code, stderr } = await somebody.type("npx --yes pnpm@12 gate check --config ./theirs.yaml", folder);
      expect(stderr).toContain("./theirs.yaml: upstream.url: must be ");
      expect(code).toBe(1);
    },
  );
});

test("the README's command installs registry-gate, which runs in any folder", { timeout: timeLimit }, async () => {
  const readme = await readFile(join(somebody.directory, "README.md"), "utf8");
  expect(readme).toMatch(/^ {4}npx --yes pnpm@12 install:command$/m);
  const { code, stdout, stderr } = await somebody.type("npx --yes pnpm@12 install:command");
  const program = join(somebody.prefix, "bin/registry-gate");
  expect(stdout, stderr).toContain(`installed: ${program}`);
  expect(code).toBe(0);
  const elsewhere = dirname(somebody.directory);
  await writeFile(join(elsewhere, "elsewhere.yaml"), "upstream: { url: nowhere }\n");
  // With a Node that is new enough first on the path.
  const env = { ...somebody.environment, PATH: [dirname(process.execPath), somebody.environment.PATH].join(delimiter) };
  const check = run(program, ["check", "--config", "elsewhere.yaml"], { cwd: elsewhere, env });
  await expect(check).rejects.toThrow("elsewhere.yaml: upstream.url: must be ");
});
