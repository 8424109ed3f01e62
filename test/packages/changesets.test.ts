import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { publishedPackages, workspace } from "./pack.ts";

/** The names and versions of what is published. */
async function published(): Promise<{ name: string; version: string }[]> {
  const { built, unbuilt } = await publishedPackages();
  return Promise.all(
    [...built, ...unbuilt].map(async (directory) =>
      JSON.parse(await readFile(join(workspace, directory, "package.json"), "utf8")),
    ),
  );
}

/** The packages that the changesets are about. */
async function announced(): Promise<Set<string>> {
  const directory = join(workspace, ".changeset");
  const files = (await readdir(directory)).filter((name) => name.endsWith(".md") && name !== "README.md");
  const texts = await Promise.all(files.map((name) => readFile(join(directory, name), "utf8")));
  const heads = texts.map((text) => /^---\n(.*?)\n---\n/s.exec(text)?.[1] ?? "");
  return new Set(
    heads.flatMap((head) => [...head.matchAll(/^"([^"]+)": (?:patch|minor|major)$/gm)].map(([, name = ""]) => name)),
  );
}

test("each changeset is about packages that are published", async () => {
  const names = (await published()).map(({ name }) => name);
  for (const name of await announced()) expect(names).toContain(name);
});

test("what was never released has a changeset", async () => {
  const unreleased = (await published()).filter(({ version }) => version === "0.0.0").map(({ name }) => name);
  const names = await announced();
  expect(unreleased.filter((name) => !names.has(name))).toEqual([]);
});
