import { globSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { workspace } from "./pack.ts";

const directories = [".", ...globSync("{packages,apps}/*/package.json", { cwd: workspace }).map(dirname)]
  .concat("test", "docs/api")
  .sort();
const url = "https://github.com/registry-gate/registry-gate";

async function manifestOf(directory: string): Promise<unknown> {
  return JSON.parse(await readFile(join(workspace, directory, "package.json"), "utf8"));
}

describe("the manifest", () => {
  it.each(directories)(
    "says where its sources are, where bugs are reported, and what it is about: %s",
    async (name) => {
      const directory = name === "." ? {} : { directory: name };
      expect(await manifestOf(name)).toMatchObject({
        description: expect.stringMatching(/\w/),
        keywords: expect.arrayContaining([expect.any(String)]),
        repository: { type: "git", url: `git+${url}.git`, ...directory },
        bugs: { url: `${url}/issues` },
      });
    },
  );

  it("of the workspace names the version of pnpm", async () => {
    expect(await manifestOf(".")).toMatchObject({ packageManager: expect.stringMatching(/^pnpm@12\.\d+\.\d+$/) });
  });
});
