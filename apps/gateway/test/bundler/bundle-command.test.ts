import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { isBuiltin } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { importsOf, packageOf } from "../../../../test/architecture/imports.ts";
import { bundleCommand } from "../../bundler/bundle-command.ts";
import manifest from "../../package.json" with { type: "json" };

let directory: string;
const files = new Map<string, string>();

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "registry-gate-bundle-"));
  await bundleCommand(directory, "installed");
  for (const name of await readdir(directory)) files.set(name, await readFile(join(directory, name), "utf8"));
}, 60_000);
afterAll(() => rm(directory, { recursive: true, force: true }));

test("the command imports each package that the gateway depends on, save for those that it contains, and no other", () => {
  const found = new Set<string>();
  for (const [name, text] of files) {
    if (!name.endsWith(".js")) continue;
    for (const specifier of importsOf(name, text)) {
      const owner = isBuiltin(specifier) ? undefined : packageOf(specifier);
      if (owner !== undefined) found.add(owner);
    }
  }
  const contained = ["pino", "yaml", "zod"];
  const expected = Object.keys(manifest.dependencies).filter((name) => !name.startsWith("@registry-gate/"));
  expect([...found, ...contained].sort()).toEqual([...expected, "@registry-gate/portal"].sort());
});

test("the package of the portal is asked for its files alone: a second copy of its classes would not be known", () => {
  const imported = [...files]
    .filter(([name]) => name.endsWith(".js"))
    .flatMap(([name, text]) => importsOf(name, text).filter((specifier) => specifier.startsWith("@registry-gate/")));
  expect([...new Set(imported)]).toEqual(["@registry-gate/portal/asset-files"]);
});

test("what is started by its path lies under its name", () => {
  expect([...files.keys()]).toEqual(
    expect.arrayContaining(["registry-gate.js", "main.js", "reading-thread.js", "hashing-worker.js"]),
  );
});

test("the licences of what it contains are beside it", () => {
  const notices = files.get("THIRD-PARTY.txt") ?? "";
  const named = [...notices.matchAll(/^-{80}\n(\S+) (\d\S+) \((\S+)\)\n\n(?=\S)/gm)].map(([, name]) => name);
  const contained = new Set<string>();
  for (const text of files.values()) {
    // Where a module begins that is not of this workspace.
    for (const [, name] of text.matchAll(
      /^\s*\/\/ (?:\S*\/)?node_modules\/((?:@[^/\s]+\/)?[^/\s]+)\/\S+\.[cm]?js$/gm,
    )) {
      if (name !== undefined) contained.add(name);
    }
  }
  expect(named).toEqual(expect.arrayContaining(["pino", "yaml", "zod", "sonic-boom"]));
  expect(named.toSorted()).toEqual([...contained].sort());
});
