import { existsSync } from "node:fs";
import { copyFile, cp, glob, mkdir, mkdtemp, readFile, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join, resolve, sep } from "node:path";
import { run } from "../support/run.ts";

/** The root of the workspace. */
export const workspace: string = resolve(import.meta.dirname, "../..");

/** A package as a registry of packages would receive it. */
export interface PackedPackage {
  readonly name: string;
  readonly version: string;
  /** Where it lies in the workspace, such as `packages/auth`. */
  readonly directory: string;
  /** The path of the tarball. */
  readonly tarball: string;
  /** The paths in the tarball, from the package's root. */
  readonly files: readonly string[];
}

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly private?: boolean;
}

/** The packages that are meant to be published, by where they lie in the workspace. */
export interface PublishedPackages {
  /** Those that the root's `tsconfig.json` builds. */
  readonly built: readonly string[];
  /** Those that it does not: nobody could use what would be published of them. */
  readonly unbuilt: readonly string[];
}

/** Finds every package of the workspace that is meant to be published. */
export async function publishedPackages(): Promise<PublishedPackages> {
  const { references }: { references: { path: string }[] } = JSON.parse(
    await readFile(join(workspace, "tsconfig.json"), "utf8"),
  );
  const builds = new Set(references.map(({ path }) => path));
  const found: string[] = [];
  for await (const path of glob("{packages,apps}/*/package.json", { cwd: workspace })) {
    const manifest: Manifest = JSON.parse(await readFile(join(workspace, path), "utf8"));
    if (manifest.private !== true) found.push(dirname(path));
  }
  found.sort();
  return {
    built: found.filter((directory) => builds.has(directory)),
    unbuilt: found.filter((directory) => !builds.has(directory)),
  };
}

/**
 * Builds the workspace and packs what is built and meant to be published.
 *
 * The build happens in a copy of the sources: nothing that an earlier build left behind gets into a package, and the
 * working tree stays as it is while other tests use it.
 *
 * @param destination A directory for the tarballs.
 */
export async function packWorkspace(destination: string): Promise<readonly PackedPackage[]> {
  const copy = await mkdtemp(join(tmpdir(), "registry-gate-build-"));
  try {
    await copySources(copy);
    await run(join(workspace, "node_modules/.bin/tsc"), ["--build"], { cwd: copy });
    await run(process.execPath, [join(copy, "apps/gateway/bundler/main.ts")], { cwd: copy });
    await mkdir(destination, { recursive: true });
    const packed: PackedPackage[] = [];
    for (const directory of (await publishedPackages()).built) {
      packed.push(await pack(copy, directory, destination));
    }
    return packed;
  } finally {
    await rm(copy, { recursive: true, force: true });
  }
}

async function copySources(copy: string): Promise<void> {
  for await (const path of glob("{package.json,pnpm-workspace.yaml,tsconfig*.json,LICENSE}", { cwd: workspace })) {
    await copyFile(join(workspace, path), join(copy, path));
  }
  // The links of pnpm are relative: those inside the packages lead to the packages of the copy, the others into here.
  await symlink(join(workspace, "node_modules"), join(copy, "node_modules"));
  for (const group of ["packages", "apps"]) {
    await cp(join(workspace, group), join(copy, group), {
      recursive: true,
      verbatimSymlinks: true,
      filter: (source) => !["dist", "test", ".demo"].includes(basename(source)) || source.split(sep).includes("src"),
    });
  }
}

/** Packs a package that is built. @param directory Its directory below `root`. */
export async function pack(root: string, directory: string, destination: string): Promise<PackedPackage> {
  const cwd = join(root, directory);
  const output = await run("pnpm", ["pack", "--json", "--pack-destination", destination], { cwd });
  const report: { name: string; version: string; filename: string; files: { path: string }[] } = JSON.parse(output);
  const tarball = join(destination, basename(report.filename));
  if (!existsSync(tarball)) throw new Error(`pnpm pack said that it made ${tarball}, which is not there`);
  return {
    name: report.name,
    version: report.version,
    directory,
    tarball,
    files: report.files.map((file) => file.path),
  };
}
