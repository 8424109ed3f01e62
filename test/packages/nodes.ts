import { createRequire } from "node:module";
import { dirname, join } from "node:path";

/** The version that `engines` promises to run on, and no older one. */
export const oldestVersion = "22.15.0";

const manifest = createRequire(import.meta.url).resolve("node-oldest/package.json");

/** What the packages are tried on: names and paths of Node. */
export const nodes: readonly (readonly [name: string, path: string])[] = [
  [`Node ${process.versions.node}`, process.execPath],
  [`Node ${oldestVersion}`, join(dirname(manifest), "bin/node")],
];
