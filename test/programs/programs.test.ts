import { globSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { findProgram } from "./find-program.ts";
import { howToGet } from "./how-to-get.ts";
import { createNeedsReader } from "./needs.ts";
import { leastNode } from "./old-node.ts";
import { isProgramName, type ProgramName, programs } from "./programs.ts";
import { versionOf } from "./version-of.ts";

const workspace = resolve(import.meta.dirname, "../..");
const names = Object.keys(programs).filter(isProgramName);

/** Every module that a test or another program of the tests is made of. */
const modules = globSync(["packages/*/test/**/*.ts", "apps/*/test/**/*.ts", "test/**/*.ts"], {
  cwd: workspace,
  exclude: ["**/node_modules/**"],
});

describe("the list of programs", () => {
  it("has nothing that no test starts", () => {
    const reader = createNeedsReader();
    const started = new Set<ProgramName>();
    for (const path of modules) for (const name of reader.needsOf(join(workspace, path)).programs) started.add(name);
    expect(names.filter((name) => !started.has(name))).toEqual([]);
  });

  it.each(names.filter((name) => findProgram(name) !== undefined))("knows how %s says its version", (name) => {
    expect(versionOf(name)).toMatch(/\d+\.\d+/);
  });

  it("is the README's line for apt-get", async () => {
    const packages = names.flatMap((name): readonly string[] => {
      const program = programs[name];
      return "debian" in program && program.base !== true ? program.debian : [];
    });
    const readme = await readFile(join(workspace, "README.md"), "utf8");
    const [, line = ""] = /`sudo apt-get install --no-install-recommends ([^`]*)`/.exec(readme) ?? [];
    expect(line.split(/\s+/)).toEqual([...new Set(packages)].sort());
  });

  it("calls a Node old that no package of ours promises to run on", async () => {
    const { engines }: { engines: { node: string } } = JSON.parse(
      await readFile(join(workspace, "package.json"), "utf8"),
    );
    expect(engines.node).toBe(`>=${leastNode.join(".")}`);
    expect(howToGet(programs["old-node"])).toContain(leastNode.join("."));
  });
});
