import { chmod, cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { run } from "../support/run.ts";
import { workspace } from "./take-out.ts";

/** A copy of the workspace as it is now, changes that are not committed included. */
export interface WorkspaceCopy {
  readonly directory: string;
  read(file: string): Promise<string>;
  write(file: string, text: string): Promise<void>;
  remove(): Promise<void>;
}

/**
 * Copies every file that git knows or would know. What is installed is not copied but linked to; the packages of the
 * workspace find each other in the copy.
 */
export async function copyWorkspace(): Promise<WorkspaceCopy> {
  const directory = await mkdtemp(join(tmpdir(), "registry-gate-guards-"));
  // Some tests run the gate as a user who may do nothing, and who has to find it.
  await chmod(directory, 0o755);
  const listed = await run("git", ["ls-files", "--cached", "--others", "--exclude-standard", "-z"], { cwd: workspace });
  const manifests: string[] = [];
  for (const file of listed.split("\0")) {
    if (file === "") continue;
    const target = join(directory, file);
    await mkdir(dirname(target), { recursive: true });
    // What was deleted and is still in the index is not there to be copied.
    await cp(join(workspace, file), target).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "ENOENT") throw error;
    });
    if (file.endsWith("package.json")) manifests.push(dirname(file));
  }
  for (const place of manifests) {
    const installed = join(place, "node_modules");
    const source = join(workspace, installed);
    if (place === ".") await symlink(source, join(directory, installed));
    // Links to packages of the workspace are relative: copied as they are, they lead into the copy.
    else await copyLinks(source, join(directory, installed));
  }
  return {
    directory,
    read: (file) => readFile(join(directory, file), "utf8"),
    write: (file, text) => writeFile(join(directory, file), text),
    remove: () => rm(directory, { recursive: true, force: true }),
  };
}

async function copyLinks(source: string, target: string): Promise<void> {
  await cp(source, target, { recursive: true, verbatimSymlinks: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOENT") throw error;
  });
}
