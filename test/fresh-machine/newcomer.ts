import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, delimiter, join, relative, resolve, sep } from "node:path";
import { startable } from "../programs/startable.ts";
import { type CommandResult, run } from "../support/run.ts";

const workspace = resolve(import.meta.dirname, "../..");

/** Somebody who has just cloned the repository: nothing is installed, and the home directory is empty. */
export interface Newcomer {
  /** The clone. */
  readonly directory: string;
  /** Where their npm installs commands to. */
  readonly prefix: string;
  /** What their shell has. */
  readonly environment: NodeJS.ProcessEnv;
  /** Types a command that begins with `npx`, in a folder of the clone, and waits for its end. */
  type(command: string, folder?: string): Promise<CommandResult>;
  /** Types a command that goes on until Ctrl-C. */
  start(command: string): Started;
  leave(): Promise<void>;
}

export interface Started {
  /** What it has written so far. */
  output(): string;
  /** Presses Ctrl-C, and resolves to the exit code, or the signal that ended it. */
  interrupt(): Promise<number | NodeJS.Signals | null>;
}

/** What a clone has not got, or has of its own. */
const notCloned = new Set(["node_modules", "dist", ".git", ".demo"]);

/** @param settings Of npm, for the environment: `yes` is `npm_config_yes`. */
export async function newcomer(settings: Readonly<Record<string, string>> = {}): Promise<Newcomer> {
  const root = await mkdtemp(join(tmpdir(), "registry-gate-newcomer-"));
  const directory = join(root, "registry-gate");
  const home = join(root, "home");
  await mkdir(home);
  await cp(workspace, directory, {
    recursive: true,
    filter: (source) =>
      !relative(workspace, source)
        .split(sep)
        .some((name) => notCloned.has(basename(name))),
  });
  const prefix = join(root, "installed");
  const environment = await plainEnvironment(home, { prefix, ...settings });
  const children = new Set<ChildProcess>();

  const spawnIn = (command: string, cwd: string) => {
    const [name, ...parameters] = command.split(" ");
    if (name !== "npx") throw new Error(`not a command of a newcomer: ${command}`);
    // A process group, to which a terminal would send Ctrl-C.
    const child = spawn(startable("npx"), parameters, {
      cwd,
      env: environment,
      detached: true,
      stdio: ["ignore", "pipe", "pipe"],
    });
    children.add(child);
    child.once("exit", () => children.delete(child));
    const outputs = { stdout: "", stderr: "" };
    for (const name of ["stdout", "stderr"] as const) {
      child[name].setEncoding("utf8").on("data", (text: string) => {
        outputs[name] += text;
      });
    }
    return { child, outputs };
  };

  return {
    directory,
    prefix,
    environment,
    async type(command, folder = ".") {
      const { child, outputs } = spawnIn(command, join(directory, folder));
      const [code]: (number | null)[] = await once(child, "close");
      return { code: code ?? null, ...outputs };
    },
    start(command) {
      const { child, outputs } = spawnIn(command, directory);
      const ended = once(child, "close");
      return {
        output: () => outputs.stdout + outputs.stderr,
        async interrupt() {
          signalGroup(child, "SIGINT");
          const [code, signal]: (number | NodeJS.Signals | null)[] = await ended;
          return code ?? signal ?? null;
        },
      };
    },
    async leave() {
      for (const child of children) signalGroup(child, "SIGKILL");
      await rm(root, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

function signalGroup({ pid }: ChildProcess, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
  }
}

/** The environment without what pnpm, npm and vitest have put there, but with the registry that this machine uses. */
async function plainEnvironment(home: string, settings: Readonly<Record<string, string>>): Promise<NodeJS.ProcessEnv> {
  const foreign = /^(?:npm_|pnpm_|vitest|node$|node_env$|node_path$|init_cwd$|ci$|force_color$|xdg_)/i;
  const own = Object.entries(process.env).filter(([name]) => !foreign.test(name));
  const path = (process.env.PATH ?? "")
    .split(delimiter)
    .filter((folder) => !folder.split(sep).includes("node_modules"));
  const registry = (await run("npm", ["config", "get", "registry"])).trim();
  const npm = Object.entries({ registry, ...settings }).map(([name, value]) => [`npm_config_${name}`, value]);
  return { ...Object.fromEntries([...own, ...npm]), PATH: path.join(delimiter), HOME: home, NO_COLOR: "1" };
}
