import { readdir, readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

/** The files that pages load, by the names that layouts use: all of `assets/`, and the styles that they build upon. */
export async function assetFiles(): Promise<ReadonlyMap<string, Buffer>> {
  const directory = new URL("../assets/", import.meta.url);
  const own = (await readdir(directory)).map((name) => [name, new URL(name, directory)] as const);
  const base = new URL(import.meta.resolve("modern-normalize/modern-normalize.css"));
  const files = [...own, ["modern-normalize.css", base] as const];
  return new Map(
    await Promise.all(files.map(async ([name, url]) => [name, await readFile(fileURLToPath(url))] as const)),
  );
}
