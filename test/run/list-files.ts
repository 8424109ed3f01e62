import { relative } from "node:path";
import { createVitest, parseCLI } from "vitest/node";
import { createNeedsReader } from "../programs/needs.ts";
import type { TestFile } from "./choose-files.ts";

/** The test files that `vitest run` would run with these parameters, and what each of them needs. */
export async function listFiles(root: string, parameters: readonly string[]): Promise<readonly TestFile[]> {
  const { filter, options } = parseCLI(["vitest", "run", ...parameters]);
  const vitest = await createVitest("test", { ...options, root, watch: false });
  try {
    const specifications = await vitest.getRelevantTestSpecifications(filter);
    const paths = [...new Set(specifications.map(({ moduleId }) => moduleId))].sort();
    const reader = createNeedsReader();
    return paths.map((path) => ({ path: relative(root, path), needs: reader.needsOf(path) }));
  } finally {
    await vitest.close();
  }
}
