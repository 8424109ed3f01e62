import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { orMissing } from "./files.ts";
import type { Layout } from "./layout.ts";

/** The names of all repositories into which something was pushed, sorted by code units. */
export async function listRepositories(layout: Layout): Promise<string[]> {
  const found: string[] = [];
  const visit = async (folder: string, name: string): Promise<void> => {
    const entries = (await orMissing(readdir(folder, { withFileTypes: true }))) ?? [];
    const folders = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
    if (folders.includes("_blobs") || folders.includes("_manifests")) found.push(name);
    for (const child of folders) {
      if (!child.startsWith("_")) await visit(join(folder, child), name === "" ? child : `${name}/${child}`);
    }
  };
  await visit(layout.repositories, "");
  return found.sort();
}
