/**
 * `pnpm install:command`: builds and packs the workspace, and installs the command `registry-gate` with the user's own npm,
 * for a machine that shall run it from a checkout. Ends with exit code 1 where npm does.
 */
import { execFile, spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { startable } from "../programs/startable.ts";
import { run } from "../support/run.ts";
import { outerEnvironment } from "./outer-environment.ts";
import { type PackedPackage, packWorkspace, workspace } from "./pack.ts";

const gateway = "registry-gate";
/** Without a warning for each package on an old Node: the command itself says which one it needs. */
const quietly = ["--no-audit", "--no-fund", "--loglevel=error"];
const environment = outerEnvironment();
const say = (line: string): void => void process.stdout.write(`${line}\n`);

/** The gateway and what it depends on, of the packages that were packed. */
async function neededBy(name: string, packed: readonly PackedPackage[]): Promise<readonly PackedPackage[]> {
  const needed = new Set<PackedPackage>();
  const add = async (wanted: string): Promise<void> => {
    const found = packed.find((each) => each.name === wanted);
    if (found === undefined || needed.has(found)) return;
    needed.add(found);
    const text = await readFile(join(workspace, found.directory, "package.json"), "utf8");
    const { dependencies = {} }: { dependencies?: Record<string, string> } = JSON.parse(text);
    for (const each of Object.keys(dependencies)) await add(each);
  };
  await add(name);
  return [...needed];
}

/** Resolves to the exit code. What npm says is seen as it is said. */
function npm(parameters: readonly string[]): Promise<number | null> {
  const child = spawn(startable("npm"), [...parameters], { cwd: workspace, env: environment, stdio: "inherit" });
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", resolve);
  });
}

/** What the installed command says its version is, or why it does not run. */
function versionOf(program: string): Promise<{ readonly version: string } | { readonly fault: string }> {
  return new Promise((resolve) => {
    execFile(program, ["--version"], { env: environment }, (error, stdout, stderr) => {
      if (error === null) resolve({ version: stdout.trim() });
      else resolve({ fault: stderr.trim() || error.message });
    });
  });
}

async function main(): Promise<number> {
  const destination = await mkdtemp(join(tmpdir(), "registry-gate-command-"));
  try {
    say("building and packing …");
    const packages = await neededBy(gateway, await packWorkspace(destination));
    say("installing …");
    const tarballs = packages.map(({ tarball }) => tarball);
    const prefix = (await run("npm", ["prefix", "--global"], { env: environment })).trim();
    if ((await npm(["install", "--global", ...quietly, ...tarballs])) !== 0) {
      say(
        `npm installs to ${prefix}. For a folder of your own: npm_config_prefix=$HOME/.local npx --yes pnpm@12 install:command`,
      );
      return 1;
    }
    await report(prefix);
    say(`to remove it: npm uninstall --global ${packages.map(({ name }) => name).join(" ")}`);
    return 0;
  } finally {
    await rm(destination, { recursive: true, force: true });
  }
}

/** Says where the command is, and what keeps it from being found or from running. */
async function report(prefix: string): Promise<void> {
  const folder = join(prefix, "bin");
  const program = join(folder, "registry-gate");
  const found = await versionOf(program);
  if ("version" in found) say(`installed: ${program}, version ${found.version}`);
  else say(`installed: ${program}, but it does not run yet\n  ${found.fault}`);
  if (!(environment.PATH ?? "").split(delimiter).includes(folder)) say(`  ${folder} is not on your PATH`);
}

process.exitCode = await main();
