import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { run } from "../support/run.ts";
import { workspace } from "./pack.ts";

/**
 * Looks for what would go wrong for somebody who installs a package.
 *
 * @param tarball The path of the packed package.
 * @returns each fault in words; nothing when the package is fit to be published.
 */
export async function inspect(tarball: string): Promise<readonly string[]> {
  const listing = await run("tar", ["-tzf", tarball]);
  const files = listing.split("\n").flatMap((path) => (/[^/]$/.test(path) ? [path.replace(/^package\//, "")] : []));
  const manifestText = await run("tar", ["-xzOf", tarball, "package/package.json"]);
  const manifest: unknown = JSON.parse(manifestText);
  const responses = await Promise.all([
    missingFiles(files, manifest),
    leftovers(files, manifestText),
    metadata(manifest),
    publintMessages(tarball),
    attwMessages(tarball),
  ]);
  return responses.flat();
}

/** Everything that the manifest points to must be there, and so must what a reader looks for first. */
function missingFiles(files: readonly string[], manifest: unknown): string[] {
  const named = strings(pick(manifest, "exports")).concat(strings(pick(manifest, "bin")));
  const wanted = [...named.map((path) => path.replace(/^\.\//, "")), "README.md", "LICENSE", "src/index.ts"];
  return wanted.filter((path) => !files.includes(path)).map((path) => `it does not hold ${path}`);
}

/** What has a meaning in the workspace alone. */
function leftovers(files: readonly string[], manifestText: string): string[] {
  const faults = ["workspace:", "catalog:", "link:", '"development"']
    .filter((text) => manifestText.includes(text))
    .map((text) => `its package.json still says ${text}`);
  const strays = files.filter(
    (path) =>
      !/^(dist\/.+\.(js|d\.ts|js\.map|d\.ts\.map)|src\/.+\.ts|LICENSE|README\.md|package\.json)$/.test(path) &&
      // The command, and the licences of what it contains.
      !/^command\/([\w-]+\.js|THIRD-PARTY\.txt)$/.test(path) &&
      // What browsers load of a package with pages.
      !/^assets\/[a-z-]+\.(css|js)$/.test(path),
  );
  return faults.concat(strays.map((path) => `it holds ${path}, which nobody needs`));
}

function metadata(manifest: unknown): string[] {
  const faults: string[] = [];
  const expect = (condition: boolean, fault: string): void => {
    if (!condition) faults.push(fault);
  };
  expect(pick(manifest, "license") === "Apache-2.0", "its license is not Apache-2.0");
  expect(pick(manifest, "type") === "module", "its type is not module");
  expect(pick(manifest, "sideEffects") === false, "its sideEffects is not false");
  expect(strings(pick(manifest, "keywords")).length > 0, "it has no keywords");
  expect(strings(pick(manifest, "description")).length > 0, "it has no description");
  expect(strings(pick(pick(manifest, "engines"), "node")).length > 0, "its engines do not name a version of Node");
  return faults;
}

async function publintMessages(path: string): Promise<string[]> {
  const data = await readFile(path);
  const tarball = data.buffer.slice(data.byteOffset, data.byteOffset + data.byteLength);
  const { messages, pkg } = await publint({ pack: { tarball }, level: "suggestion", strict: true });
  return messages.map((message) => `publint: ${formatMessage(message, pkg, { color: false })}`);
}

async function attwMessages(tarball: string): Promise<string[]> {
  const attw = join(workspace, "node_modules/.bin/attw");
  if (!existsSync(attw)) throw new Error(`${attw} is not there: install the workspace`);
  const options = ["--profile", "esm-only", "--format", "ascii", "--no-emoji", "--no-color"];
  try {
    await run(attw, [tarball, ...options], { cwd: workspace });
    return [];
  } catch (error) {
    return [`attw: ${error instanceof Error ? error.message : String(error)}`];
  }
}

function pick(value: unknown, key: string): unknown {
  return typeof value === "object" && value !== null && key in value ? Reflect.get(value, key) : undefined;
}

/** Every string in a value, however deep. */
function strings(value: unknown): string[] {
  if (typeof value === "string") return [value];
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(strings) : [];
}
