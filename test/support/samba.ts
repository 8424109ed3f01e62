import { createHash } from "node:crypto";
import { access, mkdir, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type PolledServer, tryPolledServer } from "./polled-server.ts";
import { run } from "./run.ts";

/** A Samba domain controller of the domain `corp.example.org`, with the entries of `directory/seed-domain.py`. */
export interface Samba {
  /** A loopback address of its own: its ports are fixed. */
  readonly host: string;
  readonly url: string;
  readonly tlsUrl: string;
  /** A PEM file: the authority of its certificate, which bears `localhost` and the address. */
  readonly authority: string;
  /** Sets the password of an account, as an administrator would. */
  setPassword(account: string, password: string): Promise<void>;
  /** Stops it and removes what it held. */
  close(): Promise<void>;
}

const seed = fileURLToPath(new URL("directory/seed-domain.py", import.meta.url));

/**
 * Starts a domain controller. The first one takes some twenty seconds, because a domain has to be made; its files are
 * kept in the user's cache for the next. Needs root: the ports are below 1024.
 */
export async function startSamba(): Promise<Samba> {
  if (process.getuid?.() !== 0) throw new Error("samba needs root to listen on port 389");
  const directory = await mkdtemp(join(tmpdir(), "registry-gate-samba-"));
  try {
    await run("tar", ["-xf", await domain(), "-C", directory]);
    const host = `127.${64 + ((process.pid >> 14) & 63)}.${(process.pid >> 7) & 127}.${1 + (process.pid & 127)}`;
    const authority = await makeCertificates(directory, host);
    const server = await start(directory, host);
    return {
      host,
      url: `ldap://${host}`,
      tlsUrl: `ldaps://${host}`,
      authority,
      async setPassword(account, password) {
        const smb = ["-s", join(directory, "smb.conf"), "-H", join(directory, "private", "sam.ldb")];
        await run("samba-tool", ["user", "setpassword", account, `--newpassword=${password}`, ...smb]);
      },
      async close() {
        await server.close();
        await rm(directory, { recursive: true, force: true });
      },
    };
  } catch (error) {
    await rm(directory, { recursive: true, force: true });
    throw error;
  }
}

/** The archive of a domain that has been made and filled, by the present seed. */
async function domain(): Promise<string> {
  const digest = createHash("sha256")
    .update(await readFile(seed))
    .update(await run("samba-tool", ["--version"]))
    .digest("hex")
    .slice(0, 16);
  const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "registry-gate");
  await mkdir(cache, { recursive: true });
  const archive = join(cache, `samba-domain-${digest}.tar`);
  const made = await access(archive).then(
    () => true,
    () => false,
  );
  if (made) return archive;
  const directory = await mkdtemp(join(tmpdir(), "registry-gate-samba-domain-"));
  try {
    const empty = join(directory, "empty.conf");
    await writeFile(empty, "[global]\n");
    await run("samba-tool", [
      ...["domain", "provision", "--quiet", "--configfile", empty, "--targetdir", directory, "--server-role=dc"],
      ...["--realm=CORP.EXAMPLE.ORG", "--domain=CORP", "--host-name=dc1", "--host-ip=127.0.0.1"],
      ...["--adminpass=Adm1n!pass", "--dns-backend=NONE", "--use-rfc2307"],
      "--option=vfs objects=dfs_samba4 acl_xattr xattr_tdb",
    ]);
    await writeFile(join(directory, "smb.conf"), configuration(directory, "127.0.0.1"));
    // Samba's modules are there for the system's Python alone.
    await run("python3", [seed, directory]);
    // At one stroke, because others may be waiting for it.
    const partial = `${archive}.${process.pid}`;
    await run("tar", ["-cf", partial, "-C", directory, "."]);
    await rename(partial, archive);
    return archive;
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function start(directory: string, host: string): Promise<PolledServer> {
  await writeFile(join(directory, "smb.conf"), configuration(directory, host));
  const places = ["run", "ncalrpc", "ntp", "winbindd", "log", "cache"];
  for (const place of places) await mkdir(join(directory, place), { recursive: true });
  const started = await tryPolledServer({
    command: "samba",
    parameters: ["-F", "--no-process-group", "-M", "single", "-s", join(directory, "smb.conf"), "--debug-stdout"],
    directory,
    host,
    port: 636,
  });
  if (typeof started === "string") throw new Error(started);
  return started;
}

async function makeCertificates(directory: string, host: string): Promise<string> {
  const cwd = join(directory, "private", "tls");
  await mkdir(cwd, { recursive: true });
  const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30"];
  const authority = ["-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign"];
  const names = `subjectAltName=DNS:dc1.corp.example.org,DNS:localhost,IP:${host}`;
  const options = { cwd };
  await run(
    "openssl",
    ["req", "-x509", ...newKey, "-subj", "/CN=Test domain", ...authority, "-keyout", "ca.key", "-out", "ca.crt"],
    options,
  );
  await run(
    "openssl",
    [
      ...["req", "-x509", ...newKey, "-subj", "/CN=dc1.corp.example.org", "-CA", "ca.crt", "-CAkey", "ca.key"],
      ...["-addext", names, "-addext", "basicConstraints=critical,CA:FALSE", "-keyout", "dc.key", "-out", "dc.crt"],
    ],
    options,
  );
  await run("chmod", ["600", "ca.key", "dc.key"], options);
  return join(cwd, "ca.crt");
}

function configuration(directory: string, host: string): string {
  const at = (place: string): string => join(directory, place);
  const settings = {
    "netbios name": "DC1",
    realm: "CORP.EXAMPLE.ORG",
    workgroup: "CORP",
    "server role": "active directory domain controller",
    "server services": "ldap",
    interfaces: `${host}/8`,
    "bind interfaces only": "yes",
    "private dir": at("private"),
    "state directory": at("state"),
    "cache directory": at("cache"),
    "lock directory": at("run"),
    "pid directory": at("run"),
    "binddns dir": at("bind-dns"),
    "ncalrpc dir": at("ncalrpc"),
    "ntp signd socket directory": at("ntp"),
    "winbindd socket directory": at("winbindd"),
    "log file": at("log/%m.log"),
    logging: "file",
    "log level": "1",
    "disable spoolss": "yes",
    "ldap server require strong auth": "yes",
    "tls enabled": "yes",
    "tls keyfile": at("private/tls/dc.key"),
    "tls certfile": at("private/tls/dc.crt"),
    "tls cafile": at("private/tls/ca.crt"),
  };
  const lines = Object.entries(settings).map(([name, value]) => `  ${name} = ${value}`);
  return ["[global]", ...lines, ""].join("\n");
}
