import { globSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { codeOf } from "./markdown.ts";

const workspace = resolve(import.meta.dirname, "../..");
const files = (patterns: string[]): string[] =>
  globSync(patterns, { cwd: workspace, exclude: ["**/node_modules/**", "**/dist/**"] }).sort();
const read = (path: string): Promise<string> => readFile(join(workspace, path), "utf8");

/** What only works where pnpm is installed, or where npm may fetch programs unasked. */
const needsMore = /^\s*(?:pnpm|npx (?!--yes ))\b/;

/** In prose `pnpm` may stand for the command, but npx never without the word that keeps npm from asking. */
const asksFirst = /\bnpx pnpm\b/;

describe("a command that is to be typed works where there is npm alone", () => {
  test.each(files(["*.md", ".github/**/*.md", "docs/**/*.md", "{packages,apps}/*/README.md", "test/**/*.md"]))(
    "in %s",
    async (path) => {
      const { blocks, spans } = codeOf(await read(path));
      const lines = blocks.flatMap(({ code }) => code.split("\n"));
      expect(lines.filter((line) => needsMore.test(line))).toEqual([]);
      expect(spans.filter((span) => asksFirst.test(span))).toEqual([]);
    },
  );

  test("in the help of every program of the workspace", async () => {
    const usages: string[] = [];
    for (const path of files(["{packages,apps}/*/src/**/*.ts", "test/**/*.ts"])) {
      for (const [, command = ""] of (await read(path)).matchAll(/\busage: (.+)/g)) usages.push(command);
    }
    expect(usages.filter((command) => command.startsWith("npx --yes pnpm@12 ")).length).toBeGreaterThan(3);
    expect(usages.filter((command) => needsMore.test(command))).toEqual([]);
  });
});
