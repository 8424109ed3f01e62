import { glob, readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { run } from "../support/run.ts";
import { nodes, oldestVersion } from "./nodes.ts";
import { workspace } from "./pack.ts";

test("the packages are tried on the oldest Node that they promise to run on", async () => {
  const promises = new Set<string>();
  for await (const path of glob("{packages,apps}/*/package.json", { cwd: workspace })) {
    const { private: unpublished, engines } = JSON.parse(await readFile(join(workspace, path), "utf8"));
    if (unpublished !== true) promises.add(engines.node);
  }
  expect([...promises]).toEqual([`>=${oldestVersion.replace(/\.0$/, "")}`]);
  const versions = await Promise.all(nodes.map(([, path]) => run(path, ["--version"])));
  expect(versions.map((version) => version.trim())).toContain(`v${oldestVersion}`);
});
