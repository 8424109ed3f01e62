import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type LoggedServer, type RunningServer, startLoggedServer } from "./logged-server.ts";

/** A real registry, empty at first, on a free port of the loopback interface. */
export interface DockerRegistry {
  readonly url: string;
  /** Stops it and removes what it held. */
  close(): Promise<void>;
}

/** Settings below `http` in the configuration of the distribution's registry. */
export interface HttpSettings {
  /** Where it listens, if not on any free port of the loopback interface. */
  readonly addr?: string;
  readonly relativeurls?: boolean;
  /** What `Location` begins with, whatever the client asked for. */
  readonly host?: string;
}

/**
 * Starts Debian's docker-registry with its content in a directory of its own.
 *
 * @param htpasswd A password file with bcrypt hashes: whom the registry itself lets in. Absent: everybody.
 */
export async function startDockerRegistry(http: HttpSettings = {}, htpasswd?: string): Promise<DockerRegistry> {
  const directory = await mkdtemp(join(tmpdir(), "registry-gate-registry-"));
  const { address, close } = await startDockerRegistryIn(directory, http, undefined, { htpasswd });
  return {
    url: `http://${address}`,
    async close() {
      await close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** How a registry is to be watched. */
export interface Observation {
  /** Takes each line of its log, down to the level `debug`, as it stands. */
  readonly onLine: (text: string) => void;
  /** Keep the content in memory, and not in the directory. */
  readonly inMemory?: boolean;
}

/** What else a registry can be told. */
export interface FurtherSettings {
  /** A password file: whom the registry itself lets in. */
  readonly htpasswd?: string | undefined;
  /** Where blobs are to be fetched from: the registry redirects there, to the path of the file below its data. */
  readonly redirectTo?: string;
  /** It takes no pushes and no deletions, as while its garbage is collected. */
  readonly readOnly?: boolean;
  /** Settings below `auth.token`: whose tokens it asks for. */
  readonly token?: TokenSettings;
  /** Where the registry posts its own notifications. */
  readonly notifyUrl?: string;
  /** The program that has the settings of the distribution's registry. Default: Debian's docker-registry. */
  readonly start?: (server: Omit<LoggedServer, "command">) => Promise<RunningServer>;
}

/** How the distribution's registry is told whose tokens to take. */
export interface TokenSettings {
  readonly realm: string;
  readonly service: string;
  readonly issuer: string;
  /** A file of certificates. */
  readonly rootcertbundle?: string;
  /** A file of public keys, since version 3. */
  readonly jwks?: string;
  readonly signingalgorithms?: readonly string[];
}

/** Starts Debian's docker-registry with its content in `directory`. */
export async function startDockerRegistryIn(
  directory: string,
  http: HttpSettings = {},
  observation?: Observation,
  { redirectTo, htpasswd, token, notifyUrl, readOnly = false, start = startProgram }: FurtherSettings = {},
): Promise<RunningServer> {
  const file = join(directory, "config.yml");
  const configuration = {
    version: "0.1",
    log: { level: observation === undefined ? "info" : "debug", formatter: "json", accesslog: { disabled: true } },
    storage: {
      ...(observation?.inMemory === true
        ? { inmemory: {} }
        : { filesystem: { rootdirectory: join(directory, "data") } }),
      delete: { enabled: true },
      ...(readOnly && { maintenance: { readonly: { enabled: true } } }),
    },
    http: { addr: "127.0.0.1:0", ...http },
    ...(htpasswd !== undefined && {
      auth: { htpasswd: { realm: "the registry's own", path: join(directory, "htpasswd") } },
    }),
    ...(token !== undefined && { auth: { token } }),
    ...(notifyUrl !== undefined && {
      notifications: {
        endpoints: [{ name: "test", url: notifyUrl, timeout: "5s", threshold: 5, backoff: "1s" }],
      },
    }),
    ...(redirectTo !== undefined && {
      middleware: { storage: [{ name: "redirect", options: { baseurl: redirectTo } }] },
    }),
  };
  if (htpasswd !== undefined) await writeFile(join(directory, "htpasswd"), htpasswd);
  // JSON is YAML too.
  await writeFile(file, JSON.stringify(configuration));
  return start({
    parameters: ["serve", file],
    directory,
    log: "stderr",
    ...(observation !== undefined && { onLine: observation.onLine }),
    addressIn: ({ msg }) => (typeof msg === "string" ? /^listening on (\S+:\d+)$/.exec(msg)?.[1] : undefined),
  });
}

function startProgram(server: Omit<LoggedServer, "command">): Promise<RunningServer> {
  return startLoggedServer({ command: "docker-registry", ...server });
}
