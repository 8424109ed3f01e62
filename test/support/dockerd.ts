import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ImageLayer, imageArchive } from "./image-archive.ts";
import { tryPolledServer } from "./polled-server.ts";
import { type CommandResult, run, runCommand } from "./run.ts";

/** Runs docker to its end with these arguments, and `input` on its standard input. */
export type Docker = (parameters: readonly string[], input?: string | Uint8Array) => Promise<CommandResult>;

/** Debian's dockerd with images of its own, and nothing in common with another one on the same machine. */
export interface Dockerd {
  /** Docker as the first of its users. */
  readonly docker: Docker;
  /** By which any program finds the daemon, and the logins of that user. */
  readonly environment: Readonly<Record<string, string>>;
  /** Docker as a further user, who has not logged in anywhere: a `DOCKER_CONFIG` of its own. */
  newUser(): Promise<Docker>;
  /** Makes an image of these layers, from the lowest to the highest, and tags it. */
  load(reference: string, layers: readonly ImageLayer[]): Promise<void>;
  /** What it has logged. */
  output(): string;
  /** Stops it and removes what it held. */
  close(): Promise<void>;
}

export interface DockerdSettings {
  /**
   * Added to its environment. Registries on the loopback interface are spoken to without looking at their certificates;
   * for others `SSL_CERT_FILE` names the authorities that it trusts, and `HTTPS_PROXY` the way to them.
   */
  readonly environment?: Readonly<Record<string, string>>;
  /**
   * `vfs` works everywhere and copies an image for each layer; `automatic` leaves the choice to the daemon, for those that build.
   * Default: `vfs`.
   */
  readonly storage?: "vfs" | "automatic";
}

/** Starts a daemon for images only: it needs no network, no iptables and no file system of its own. Needs root. */
export async function startDockerd({ environment = {}, storage = "vfs" }: DockerdSettings = {}): Promise<Dockerd> {
  if (process.getuid?.() !== 0) throw new Error("dockerd needs root");
  // Short, because the path of a socket may have no more than 107 bytes.
  const directory = await mkdtemp(join(tmpdir(), "rg-dockerd-"));
  const remove = (): Promise<void> => rm(directory, { recursive: true, force: true, maxRetries: 5 });
  const socket = join(directory, "docker.sock");
  const configuration = join(directory, "daemon.json");
  await writeFile(configuration, "{}");
  const server = await tryPolledServer({
    command: "dockerd",
    parameters: [
      ...["--config-file", configuration, "--host", `unix://${socket}`, "--pidfile", join(directory, "pid")],
      ...["--data-root", join(directory, "data"), "--exec-root", join(directory, "exec")],
      ...["--bridge=none", "--iptables=false", "--ip6tables=false"],
      ...(storage === "vfs" ? ["--storage-driver=vfs"] : []),
    ],
    directory,
    environment,
    path: socket,
  }).catch(async (error: unknown) => {
    await remove();
    throw error;
  });
  if (typeof server === "string") {
    await remove();
    throw new Error(server);
  }
  let users = 0;
  const newEnvironment = async (): Promise<Readonly<Record<string, string>>> => {
    users += 1;
    const home = join(directory, `user-${users}`);
    await mkdir(home);
    return { DOCKER_HOST: `unix://${socket}`, DOCKER_CONFIG: home };
  };
  const dockerIn =
    (own: Readonly<Record<string, string>>): Docker =>
    (parameters, input = "") =>
      runCommand("docker", parameters, { input, environment: own });
  const first = await newEnvironment();
  const docker = dockerIn(first);
  return {
    docker,
    environment: first,
    newUser: async () => dockerIn(await newEnvironment()),
    async load(reference, layers) {
      const { code, stderr } = await docker(["load"], imageArchive(reference, layers));
      if (code !== 0) throw new Error(`docker load: ${stderr}`);
    },
    output: () => server.output(),
    async close() {
      await server.close();
      await unmountBelow(directory);
      await remove();
    },
  };
}

/** The daemon leaves the network of containers mounted, and a mount cannot be removed. */
async function unmountBelow(directory: string): Promise<void> {
  const mounts = (await readFile("/proc/self/mountinfo", "utf8")).split("\n").map((line) => line.split(" ")[4] ?? "");
  // The last mounted first.
  for (const mount of mounts.filter((path) => path.startsWith(`${directory}/`)).reverse()) await run("umount", [mount]);
}
