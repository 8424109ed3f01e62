import { copyFile, mkdir, readFile, writeFile } from "node:fs/promises";
import { basename, delimiter, dirname, join } from "node:path";
import { run } from "../support/run.ts";
import { type PackedPackage, workspace } from "./pack.ts";

const strict = {
  target: "es2023",
  lib: ["es2023"],
  types: ["node"],
  strict: true,
  noUncheckedIndexedAccess: true,
  exactOptionalPropertyTypes: true,
  verbatimModuleSyntax: true,
  skipLibCheck: false,
};

/** How the two kinds of consumers find types: Node itself, and whatever is bundled. */
const configurations = {
  "tsconfig.json": { ...strict, module: "nodenext", rootDir: "src", outDir: "dist" },
  "tsconfig.bundler.json": { ...strict, module: "preserve", moduleResolution: "bundler", noEmit: true },
};

/**
 * Makes a project outside the workspace and installs it. Packages of the workspace can come from nowhere but the
 * tarballs.
 *
 * @param wanted The names of what the project depends on.
 */
export async function createProject(
  directory: string,
  packages: readonly PackedPackage[],
  wanted: readonly string[],
): Promise<void> {
  const versions = wanted.map(async (name) => [name, tarballsOf(packages)[name] ?? (await installedVersion(name))]);
  const dependencies = Object.fromEntries(await Promise.all(versions));
  await mkdir(directory, { recursive: true });
  await writeJson(join(directory, "package.json"), { name: "stranger", private: true, type: "module", dependencies });
  await install(directory, tarballsOf(packages));
}

/**
 * Installs what the `package.json` of a project outside the workspace asks for.
 *
 * @param others What it has in common with the workspace: to be had in the same versions.
 */
export async function installProject(
  directory: string,
  packages: readonly PackedPackage[],
  others: readonly string[],
): Promise<void> {
  const versions = await Promise.all(others.map(async (name) => [name, await installedVersion(name)]));
  await install(directory, { ...tarballsOf(packages), ...Object.fromEntries(versions) });
}

async function install(directory: string, overrides: Readonly<Record<string, string>>): Promise<void> {
  // JSON is YAML.
  await writeJson(join(directory, "pnpm-workspace.yaml"), { overrides });
  await run("pnpm", ["install", "--prefer-offline", "--no-frozen-lockfile"], { cwd: directory });
}

function tarballsOf(packages: readonly PackedPackage[]): Readonly<Record<string, string>> {
  return Object.fromEntries(packages.map(({ name, tarball }) => [name, `file:${tarball}`]));
}

/**
 * Makes a TypeScript project that depends on every package and on express.
 *
 * @param source A TypeScript file to copy to `src/`.
 */
export async function createStrangerProject(
  directory: string,
  packages: readonly PackedPackage[],
  source: string,
): Promise<void> {
  const others = ["express", "@types/express", "@types/node", "typescript"];
  await createProject(directory, packages, [...packages.map(({ name }) => name), ...others]);
  await mkdir(join(directory, "src"));
  for (const [name, compilerOptions] of Object.entries(configurations)) {
    await writeJson(join(directory, name), { compilerOptions, include: ["src"] });
  }
  await copyFile(source, join(directory, "src", basename(source)));
  await writeFile(join(directory, "src/surface.ts"), surface(packages));
}

/** Compiles with the project's own TypeScript, every declaration file of its dependencies checked too. */
export async function compileStrangerProject(directory: string): Promise<void> {
  const tsc = join(directory, "node_modules/.bin/tsc");
  for (const configuration of Object.keys(configurations)) {
    await run(tsc, ["--project", configuration], { cwd: directory, env: plainEnvironment() });
  }
}

/** What a shell outside the workspace has: one Node first, and no flags for it. */
export function plainEnvironment(node: string = process.execPath): NodeJS.ProcessEnv {
  const { HOME, PATH, TMPDIR } = process.env;
  const path = [dirname(node), ...(PATH ?? "").split(delimiter)].join(delimiter);
  return { PATH: path, ...(HOME === undefined ? {} : { HOME }), ...(TMPDIR === undefined ? {} : { TMPDIR }) };
}

/** A module that names every package, so that all of their types are looked at. */
function surface(packages: readonly PackedPackage[]): string {
  const imports = packages.map(({ name }, index) => `import * as package${index} from ${JSON.stringify(name)};\n`);
  return `${imports.join("")}export const surface: readonly object[] = [${packages.map((_, index) => `package${index}`).join(", ")}];\n`;
}

/** The very version that the workspace has, so that it is at hand without a network. */
async function installedVersion(name: string): Promise<string> {
  for (const base of [workspace, join(workspace, "test"), join(workspace, "packages/core")]) {
    const text = await readFile(join(base, "node_modules", name, "package.json"), "utf8").catch(() => undefined);
    if (text === undefined) continue;
    const { version }: { version: string } = JSON.parse(text);
    return version;
  }
  throw new Error(`${name} is not installed in the workspace`);
}

async function writeJson(path: string, content: unknown): Promise<void> {
  await writeFile(path, `${JSON.stringify(content, undefined, 2)}\n`);
}
