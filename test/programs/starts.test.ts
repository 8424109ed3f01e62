import { globSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";

const workspace = resolve(import.meta.dirname, "../..");

/** What these modules give to `spawn` and the like, other than `startable(…)` or the path of this Node. */
const exceptions: Readonly<Record<string, string>> = {
  "test/gateway/gate-with-output.ts": "program", // this Node, or what is startable
  "test/packages/install-command.ts": "program", // which it has installed itself
  "test/programs/lack.ts": "go", // where the list has found it
  "test/programs/old-node.ts": "path", // which it has found itself
  "test/programs/version-of.ts": "path", // where the list has found it, or dpkg-query
  "test/run/install-packages.ts": '"apt-get"', // by which the list is installed
  "test/support/polled-server.ts": "program", // which is startable
};

const functions = "spawn|spawnSync|exec|execSync|execFile|execFileSync|fork";
const calls = new RegExp(`(?<![.\\w])(?:promisify\\(execFile\\)|${functions})\\(\\s*([^\\s,)]+\\(?[^\\s,)]*\\)?)`, "g");
const good = /^(?:startable\(|process\.execPath$)/;

test("every process that tests start goes by the list of programs", async () => {
  const paths = globSync(["packages/*/test/**/*.ts", "apps/*/test/**/*.ts", "test/**/*.ts"], {
    cwd: workspace,
    exclude: ["**/node_modules/**"],
  });
  const found: string[] = [];
  for (const path of paths) {
    const text = await readFile(join(workspace, path), "utf8");
    if (!/from "node:child_process"/.test(text)) continue;
    for (const [, first = ""] of text.matchAll(calls))
      if (!good.test(first) && exceptions[path] !== first) found.push(`${path}: ${first}`);
  }
  expect(found).toEqual([]);
});
