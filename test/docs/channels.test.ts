import { globSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { channelNames } from "../../packages/auth-kit/src/observe/channel-names.ts";
import { importsOf } from "../architecture/imports.ts";

const workspace = resolve(import.meta.dirname, "../..");
const read = (path: string): string => readFileSync(join(workspace, path), "utf8");

/** The rows of the table in docs/observing.md. */
const rows = read("docs/observing.md")
  .split("\n")
  .filter((line) => line.startsWith("| `registry-gate:"))
  .map((line) => {
    const [channel = "", name = "", exported = "", type = ""] = [...line.matchAll(/`([^`]+)`/g)].map(
      ([, span]) => span,
    );
    return { channel, name, exported, type };
  });

const directories = new Map(
  globSync("{packages,apps}/*/package.json", { cwd: workspace }).map((path) => {
    const { name }: { name: string } = JSON.parse(read(path));
    return [name, path.replace("/package.json", "")];
  }),
);
const sources = globSync("{packages,apps}/*/src/**/*.ts", { cwd: workspace }).map((path) => ({
  path,
  text: read(path),
}));

describe("the channels in docs/observing.md", () => {
  it("are those of the list in the code, each once", () => {
    expect(rows.map(({ channel }) => channel).sort()).toEqual([...channelNames].sort());
  });

  it("are in the list in order", () => {
    expect([...channelNames].sort()).toEqual(channelNames);
  });

  it.each(rows)("$channel is opened once, in the package that the table names", ({ channel, name }) => {
    const openers = sources.filter(({ text }) => text.includes(`openChannel("${channel}")`)).map(({ path }) => path);
    expect(openers).toEqual([expect.stringMatching(`^${directories.get(name)}/src/observe/`)]);
  });

  it.each(rows)("$channel is exported with the type of its messages", ({ channel, name, exported, type }) => {
    const opener = sources.find(({ text }) => text.includes(`openChannel("${channel}")`));
    expect(opener?.text).toContain(`export const ${exported}: Channel<${type}> = `);
    const index = read(`${directories.get(name)}/src/index.ts`);
    for (const symbol of [exported, type]) expect(index).toMatch(new RegExp(`\\b${symbol}\\b`));
  });

  it.each(rows)("$channel is published on", ({ exported }) => {
    const publishing = new RegExp(`\\b${exported}\\.publish\\(|\\bpublish(?:Reload|Refusal)\\(${exported}\\b`);
    expect(sources.filter(({ text }) => publishing.test(text)).length).toBeGreaterThan(0);
  });
});

it("one file alone reaches node:diagnostics_channel, so that no message is made where nobody listens", () => {
  const importers = sources.filter(({ path, text }) => importsOf(path, text).includes("node:diagnostics_channel"));
  expect(importers.map(({ path }) => path)).toEqual(["packages/auth-kit/src/observe/channel.ts"]);
});
