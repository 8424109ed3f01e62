import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { basic } from "../support/basic.ts";
import type { CertificateFiles } from "../support/certificate.ts";
import { freePort } from "../support/free-port.ts";
import { startNginx } from "../support/nginx.ts";
import { nginxRecipe } from "../support/nginx-recipe.ts";
import { tryPolledServer } from "../support/polled-server.ts";
import { run } from "../support/run.ts";
import { startOnFreePort } from "../support/start-on-free-port.ts";
import { builtGate } from "./built-gate.ts";
import type { Contender } from "./contender.ts";
import { giveOwnCore } from "./cores.ts";

/** How a password file keeps its passwords: options of htpasswd. */
export const hashes = {
  apr1: ["-m"],
  "bcrypt 5": ["-B", "-C", "5"],
  "bcrypt 10": ["-B", "-C", "10"],
} as const;
export type Hash = keyof typeof hashes;

export interface ProxySettings {
  /** `http://host:port` or `https://host:port` */
  readonly registry: string;
  /** The file of a CA that has certified the registry, which only the gate checks. */
  readonly ca?: string;
  /** Plain HTTP by default. */
  readonly tls?: CertificateFiles | undefined;
  /** Whether the gate has an admin listener and an audit. */
  readonly observed?: boolean;
  /** `upstream.cache` of the gate. */
  readonly cache?: object;
  /** Sections of the gate's configuration that it has in place of its own. */
  readonly sections?: Readonly<Record<string, unknown>>;
}

/** By the number of characters: apr1 costs by the length of the password. */
const passwords = { 8: "hunter2!", 28: "correct horse battery staple" } as const;
/** How long a password is, in characters. */
export type PasswordLength = keyof typeof passwords;

const username = "alice";
/** The gate remembers a login by a keyed hash: its password's length does not show. */
const gatePassword = passwords[28];

/** Somebody whom a backend knows. */
export interface BackendLogin {
  readonly name: string;
  /** The backend in the configuration. */
  readonly backend: object;
  readonly headers: Readonly<Record<string, string>>;
}

/** The text of a password file with {@link loginOf} that length. */
export function passwordFile(hash: Hash, length: PasswordLength = 28): Promise<string> {
  return run("htpasswd", ["-bn", ...hashes[hash], username, passwords[length]]);
}

/** The headers of whom a {@link passwordFile} knows. */
export function loginOf(length: PasswordLength = 28): Readonly<Record<string, string>> {
  return basic(username, passwords[length]);
}

/**
 * `registry-gate serve` as it is run in earnest: rules of access, groups, and a log with a line for every request, in a
 * file.
 *
 * @param login Whom another backend than a password file with bcrypt of cost 10 knows.
 */
export async function startGate(settings: ProxySettings, login?: BackendLogin): Promise<Contender> {
  const directory = await mkdtemp(join(tmpdir(), "registry-gate-bench-"));
  const discard = (): Promise<void> => rm(directory, { recursive: true, force: true });
  try {
    await writeFile(join(directory, "htpasswd"), await passwordFile("bcrypt 10"));
    await writeFile(join(directory, "groups"), `pushers: ${username}\n`);
    const [command, ...before] = builtGate;
    const adminAddress = `127.0.0.1:${await freePort()}`;
    const { port, server } = await startOnFreePort(async (port) => {
      const configuration = {
        ...configurationOf(port, settings, login),
        ...(settings.observed === true && {
          admin: { address: adminAddress },
          audit: { output: { file: "audit.jsonl" } },
        }),
        ...settings.sections,
      };
      // JSON is YAML too.
      await writeFile(join(directory, "registry-gate.yaml"), JSON.stringify(configuration));
      return tryPolledServer({
        command,
        parameters: [...before, "serve", "--config", "registry-gate.yaml"],
        directory,
        host: "127.0.0.1",
        port,
        outputFile: join(directory, "log"),
      });
    });
    await giveOwnCore(server.pid);
    return {
      name: login?.name ?? "gate",
      own: true,
      warmFor: new Set(),
      url: `${settings.tls === undefined ? "http" : "https"}://127.0.0.1:${port}`,
      pid: server.pid,
      headers: login?.headers ?? basic(username, gatePassword),
      ...(settings.observed === true && { adminUrl: `http://${adminAddress}` }),
      close: () => server.close().then(discard),
    };
  } catch (error) {
    await discard();
    throw error;
  }
}

function configurationOf(
  port: number,
  { registry, ca, tls, cache }: ProxySettings,
  login: BackendLogin | undefined,
): object {
  return {
    listen: {
      address: `127.0.0.1:${port}`,
      ...(tls !== undefined && { tls: { certificate: tls.certificate, key: tls.key } }),
    },
    upstream: { url: registry, ...(ca !== undefined && { ca }), ...(cache !== undefined && { cache }) },
    auth: {
      backends: [login?.backend ?? { type: "htpasswd", file: "htpasswd", groupFile: "groups" }],
      // One token has to do for all rounds.
      token: { ttl: "12h" },
    },
    access: [
      { subjects: ["anonymous"], repositories: ["public/**"], actions: ["pull"] },
      { subjects: ["group:pushers"], repositories: ["**"], actions: ["pull", "push"] },
      { subjects: ["authenticated"], repositories: ["**", "!secret/**"], actions: ["pull", "push"] },
    ],
  };
}

/** nginx with Docker's recipe. */
export async function startRecipe(
  { registry, tls }: ProxySettings,
  hash: Hash,
  length: PasswordLength = 28,
): Promise<Contender> {
  const { pid, port, close } = await startNginx({
    http: (port) =>
      nginxRecipe({ port, registry: new URL(registry).host, passwordFile: "htpasswd", ...(tls && { tls }) }).replace(
        "http://docker-registry",
        `${new URL(registry).protocol}//docker-registry`,
      ),
    files: { htpasswd: await passwordFile(hash, length) },
  });
  await giveOwnCore(pid);
  const url = `${tls === undefined ? "http" : "https"}://127.0.0.1:${port}`;
  // bcrypt costs the same for all.
  const name = hash === "apr1" ? `recipe, ${hash}, ${length} characters` : `recipe, ${hash}`;
  return { name, url, pid, headers: loginOf(length), close };
}

/** nginx that asks nobody who they are, and keeps its connections to the registry: what a proxy can reach at all. */
export async function startBareNginx({ registry, tls }: ProxySettings): Promise<Contender> {
  const { pid, port, close } = await startNginx({
    http: (port) => `
upstream registry {
  server ${new URL(registry).host};
  keepalive 64;
  keepalive_requests 1000000;
}
server {
  listen 127.0.0.1:${port}${tls === undefined ? "" : " ssl"};
  ${tls === undefined ? "" : `ssl_certificate ${tls.certificate}; ssl_certificate_key ${tls.key};`}
  keepalive_requests 1000000;
  client_max_body_size 0;
  location /v2/ {
    proxy_pass ${new URL(registry).protocol}//registry;
    proxy_http_version 1.1;
    proxy_set_header Connection "";
    proxy_set_header Host $http_host;
    proxy_request_buffering off;
  }
}`,
  });
  await giveOwnCore(pid);
  const url = `${tls === undefined ? "http" : "https"}://127.0.0.1:${port}`;
  return { name: "nginx without logins, connections kept", url, pid, headers: {}, close };
}
