import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type PackedPackage, pack, packWorkspace } from "../packages/pack.ts";
import { createProject, installProject, plainEnvironment } from "../packages/stranger-project.ts";
import { type CommandResult, run, runCommand } from "../support/run.ts";

export const acmePackage = "@acme/registry-gate-auth-accounts";

/** A third party's package, made outside the workspace, and somebody's installation of the gateway that uses it. */
export interface Acme {
  /** What the tests of the package have said, with the kit that is published. */
  readonly ownTests: string;
  /** The installation: a directory with `node_modules`, and room for a configuration. */
  readonly directory: string;
  /** The module that runs `registry-gate`. */
  readonly program: string;
  /** Runs `registry-gate check` on a configuration. */
  check(configuration: object): Promise<CommandResult>;
  /** Puts a package into the installation whose only module is `source`. */
  addPackage(name: string, source: string): Promise<void>;
  close(): Promise<void>;
}

/** Builds, tests and packs the package with what is published of the workspace, and installs it beside the gateway. */
export async function installAcme(): Promise<Acme> {
  const root = await mkdtemp(join(tmpdir(), "registry-gate-third-party-"));
  const close = (): Promise<void> => rm(root, { recursive: true, force: true });
  try {
    const packages = await packWorkspace(join(root, "tarballs"));
    await cp(join(import.meta.dirname, "acme-backend"), join(root, "acme"), { recursive: true });
    await installProject(join(root, "acme"), packages, ["typescript", "@types/node"]);
    const env = plainEnvironment();
    const cwd = join(root, "acme");
    await run(join(cwd, "node_modules/.bin/tsc"), [], { cwd, env });
    const ownTests = await run(process.execPath, ["--test", "--test-reporter=tap", "test/contract.ts"], { cwd, env });
    const acme: PackedPackage = await pack(root, "acme", join(root, "tarballs"));
    const directory = join(root, "installation");
    await createProject(directory, [...packages, acme], ["registry-gate", acme.name]);
    const program = join(directory, "node_modules/registry-gate/command/main.js");
    return {
      ownTests,
      directory,
      program,
      async check(configuration) {
        // JSON is YAML.
        await writeFile(join(directory, "gate.yaml"), JSON.stringify(configuration));
        return runCommand(process.execPath, [program, "check", "--config", "gate.yaml"], { directory });
      },
      async addPackage(name, source) {
        const place = join(directory, "node_modules", name);
        await mkdir(place, { recursive: true });
        await writeFile(join(place, "package.json"), JSON.stringify({ name, type: "module", exports: "./index.js" }));
        await writeFile(join(place, "index.js"), source);
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}
