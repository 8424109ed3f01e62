import type { TestProject } from "vitest/node";
import { createNeedsReader } from "./needs.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** The names of the programs that a test file needs, by its absolute path. */
    programsOf: Readonly<Record<string, readonly string[]>>;
  }
}

/** Tells each test file what it may start. */
export default async function setup(project: TestProject): Promise<void> {
  const { testFiles } = await project.globTestFiles();
  const reader = createNeedsReader();
  project.provide(
    "programsOf",
    Object.fromEntries(testFiles.map((file) => [file, [...reader.needsOf(file).programs]])),
  );
}
