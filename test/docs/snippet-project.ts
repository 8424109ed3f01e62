import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { glob, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

/** How a program ended. */
export interface Ending {
  /** `undefined` where it was stopped because it took too long. */
  readonly code: number | undefined;
  /** What it wrote to its standard output. */
  readonly output: string;
  /** What it wrote to its standard error. */
  readonly complaints: string;
}

/** A directory in which snippets find the packages of the workspace by name, as their readers do. */
export interface SnippetProject {
  /** Runs a module, with these variables in its environment, and waits at most half a minute for it to end by itself. */
  run(name: string, code: string, environment: Readonly<Record<string, string>>): Promise<Ending>;
  /**
   * Compiles modules strictly, without writing anything: together, because most of what they take to compile is the
   * packages that all of them import.
   *
   * @param modules Name to code. None declares anything for the others.
   * @returns What is wrong with each, an empty text being nothing.
   * @throws {Error} where something is wrong elsewhere.
   */
  compile(modules: ReadonlyMap<string, string>): Promise<ReadonlyMap<string, string>>;
  close(): Promise<void>;
}

/**
 * @param workspace The root of the workspace.
 * @param libraries Directories of packages that the snippets may import besides those of the workspace.
 */
export async function createSnippetProject(workspace: string, libraries: readonly string[]): Promise<SnippetProject> {
  const directory = await mkdtemp(join(tmpdir(), "registry-gate-snippets-"));
  const modules = join(directory, "node_modules");
  for await (const manifest of glob("{packages,apps}/*/package.json", { cwd: workspace })) {
    const { name }: { name: string } = JSON.parse(await readFile(join(workspace, manifest), "utf8"));
    await link(dirname(join(workspace, manifest)), join(modules, name));
  }
  for (const library of libraries) {
    for (const name of await packageNames(library)) await link(join(library, name), join(modules, name));
  }
  const configuration = {
    extends: join(workspace, "tsconfig.base.json"),
    compilerOptions: {
      noEmit: true,
      composite: false,
      declaration: false,
      declarationMap: false,
      isolatedDeclarations: false,
      allowImportingTsExtensions: true,
      rewriteRelativeImportExtensions: false,
    },
  };
  await writeFile(join(directory, "package.json"), '{ "type": "module" }\n');

  async function start(args: readonly string[], environment: Readonly<Record<string, string>> = {}): Promise<Ending> {
    const { promise, resolve, reject } = Promise.withResolvers<Ending>();
    const child = execFile(
      process.execPath,
      args,
      { cwd: directory, timeout: 30_000, killSignal: "SIGKILL", env: { ...process.env, ...environment } },
      (_, output, complaints) => resolve({ code: child.exitCode ?? undefined, output, complaints }),
    );
    child.once("error", reject);
    return promise;
  }

  return {
    async run(name, code, environment) {
      const file = join(directory, `${name}.ts`);
      await writeFile(file, code);
      return start(["--conditions=development", file], environment);
    },
    async compile(modules) {
      const fileOf = (name: string): string => `types-${name}.ts`;
      for (const [name, code] of modules) {
        if (/^\s*declare (?:global|module)\b/m.test(code)) throw new Error(`${name} declares something for all`);
        await writeFile(join(directory, fileOf(name)), code);
      }
      const project = join(directory, "tsconfig.json");
      // A package's own declarations of modules without types are not imported by anything.
      const include = [...[...modules.keys()].map(fileOf), join(workspace, "packages/*/src/**/*.d.ts")];
      await writeFile(project, JSON.stringify({ ...configuration, include }));
      const { code, output, complaints } = await start([
        join(workspace, "node_modules/typescript/bin/tsc"),
        ...["--pretty", "false", "--project", project],
      ]);
      // An error that takes several lines goes on with a blank.
      const errors = output.split(/\n(?=\S)/).filter((error) => error.trim() !== "");
      const isIn = (name: string, error: string): boolean => error.startsWith(`${fileOf(name)}(`);
      const elsewhere = errors.filter((error) => ![...modules.keys()].some((name) => isIn(name, error)));
      if (complaints !== "" || elsewhere.length > 0 || (code !== 0 && errors.length === 0)) {
        throw new Error(`tsc ended with ${code}: ${complaints}${elsewhere.join("\n")}`);
      }
      const wrongIn = (name: string): string => errors.filter((error) => isIn(name, error)).join("\n");
      return new Map([...modules.keys()].map((name) => [name, wrongIn(name)]));
    },
    close: () => rm(directory, { recursive: true, force: true }),
  };
}

async function link(target: string, path: string): Promise<void> {
  if (existsSync(path)) return;
  await mkdir(dirname(path), { recursive: true });
  await symlink(target, path);
}

/** The names of the packages in a `node_modules` directory, scopes included. */
async function packageNames(directory: string): Promise<readonly string[]> {
  const names: string[] = [];
  for (const name of await readdir(directory)) {
    if (name.startsWith(".")) continue;
    if (!name.startsWith("@")) names.push(name);
    else names.push(...(await readdir(join(directory, name))).map((inner) => `${name}/${inner}`));
  }
  return names;
}
