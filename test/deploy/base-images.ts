import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { chmod, chown, cp, mkdir, mkdtemp, readFile, realpath, rename, rm, symlink, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { buildGoProgram } from "../programs/build-go-program.ts";
import { startable } from "../programs/startable.ts";
import type { Docker } from "../support/dockerd.ts";
import { run } from "../support/run.ts";

/** Where archives of Debian are kept, because making one takes a minute and Debian's servers. */
const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "registry-gate", "images");

/**
 * Gives a daemon the images that `deploy/` names, without a registry of images: each is made of the smallest Debian of
 * debootstrap and of what this machine has. `node:26-slim` gets the workspace's Node and the machine's npm; `registry:3` the
 * distribution's registry, built with Go; the servers are Debian's, with Redis in Valkey's place.
 */
export async function importBaseImages(docker: Docker): Promise<void> {
  const base = await debianArchive("node", ["ca-certificates", "libatomic1", "libstdc++6"], addNode);
  await importArchive(docker, base, "node:26-slim", ["ENV NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt"]);
  // It has openssl too.
  await tag(docker, "node:26-slim", "httpd:2.4");
  const servers = ["ca-certificates", "wget", "haproxy", "redis-server", "slapd", "ldap-utils"];
  const archive = await debianArchive("servers", servers, addServers);
  await importArchive(docker, archive, "registry:3", [
    'ENTRYPOINT ["registry"]',
    'CMD ["serve", "/etc/distribution/config.yml"]',
  ]);
  await importArchive(docker, archive, "valkey/valkey:8", []);
  await tag(docker, "valkey/valkey:8", "haproxy:3.2");
  await tag(docker, "valkey/valkey:8", "debian:13-slim");
}

async function importArchive(docker: Docker, archive: string, name: string, changes: readonly string[]): Promise<void> {
  const { code, stderr } = await docker([
    "import",
    ...changes.flatMap((change) => ["--change", change]),
    archive,
    name,
  ]);
  if (code !== 0) throw new Error(`docker import: ${stderr}`);
}

async function tag(docker: Docker, from: string, to: string): Promise<void> {
  const { code, stderr } = await docker(["tag", from, to]);
  if (code !== 0) throw new Error(`docker tag: ${stderr}`);
}

/** An archive of Debian with these packages, made once. */
async function debianArchive(
  name: string,
  packages: readonly string[],
  add: (root: string) => Promise<void>,
): Promise<string> {
  const [, suite = "stable"] = /^VERSION_CODENAME=(\w+)$/m.exec(await readFile("/etc/os-release", "utf8")) ?? [];
  const recipe = await readFile(import.meta.filename);
  const key = createHash("sha256")
    .update(JSON.stringify([suite, packages, process.version]))
    .update(recipe)
    .digest("hex");
  const archive = join(cache, `${name}-${key.slice(0, 16)}.tar`);
  if (existsSync(archive)) return archive;
  await mkdir(cache, { recursive: true });
  const making = await mkdtemp(join(cache, "making-"));
  try {
    const root = join(making, "root");
    await run("debootstrap", ["--variant=minbase", `--include=${packages.join(",")}`, suite, root], {
      timeout: 900_000,
    });
    for (const place of ["var/cache/apt", "var/lib/apt/lists", "usr/share/doc", "usr/share/man", "usr/share/locale"]) {
      await rm(join(root, place), { recursive: true, force: true });
    }
    await add(root);
    await run("tar", ["-C", root, "-cf", `${making}/root.tar`, "."]);
    await rename(join(making, "root.tar"), archive);
    return archive;
  } finally {
    await rm(making, { recursive: true, force: true });
  }
}

/** As the image of Node's project has it. */
async function addNode(root: string): Promise<void> {
  await cp(process.execPath, join(root, "usr/local/bin/node"));
  await chmod(join(root, "usr/local/bin/node"), 0o755);
  const npm = dirname(dirname(await realpath(startable("npm"))));
  await cp(npm, join(root, "usr/local/lib/node_modules/npm"), { recursive: true, verbatimSymlinks: true });
  for (const name of ["npm", "npx"]) {
    await symlink(`../lib/node_modules/npm/bin/${name}-cli.js`, join(root, "usr/local/bin", name));
  }
  // A machine may reach the npm registry through a proxy with an authority of its own.
  await cp("/etc/ssl/certs/ca-certificates.crt", join(root, "etc/ssl/certs/ca-certificates.crt"));
}

async function addServers(root: string): Promise<void> {
  await cp(await buildGoProgram("distribution"), join(root, "usr/bin/registry"));
  await mkdir(join(root, "etc/distribution"), { recursive: true });
  // JSON is YAML too.
  const registry = {
    version: "0.1",
    storage: { filesystem: { rootdirectory: "/var/lib/registry" } },
    http: { addr: ":5000" },
  };
  await writeFile(join(root, "etc/distribution/config.yml"), JSON.stringify(registry));
  for (const name of ["server", "cli"]) await symlink(`redis-${name}`, join(root, "usr/bin", `valkey-${name}`));
  // As in Valkey's own image.
  await mkdir(join(root, "data"));
  await chown(join(root, "data"), 999, 999);
}
