import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type ClosingStack, closingStack } from "../support/closing-stack.ts";
import { type DockerRegistry, startDockerRegistry } from "../support/docker-registry.ts";
import { type RunningGate, startGate } from "../support/gate.ts";
import { type Nginx, startNginx } from "../support/nginx.ts";
import { passwordFile } from "../support/password-file.ts";
import { password, user } from "./doctor.ts";

/** Everybody who is signed in may do everything, so that a tag can be pushed and deleted. */
const everything = [{ subjects: ["authenticated"], repositories: ["**"], actions: ["*"] }];

/** A gate before a real registry, which {@link user} may use. */
export interface Scene {
  readonly registry: DockerRegistry;
  readonly gate: RunningGate;
  readonly stack: ClosingStack;
}

interface SceneSettings {
  readonly auth?: object;
  readonly listen?: object;
  readonly upstream?: object;
  readonly access?: readonly object[];
  readonly files?: Readonly<Record<string, string>>;
}

/** @param registry One that runs already. */
export async function startScene(settings: SceneSettings = {}, registry?: DockerRegistry): Promise<Scene> {
  const { auth, listen, upstream, access = everything, files } = settings;
  const stack = closingStack();
  try {
    const used = registry ?? (await stack.keep(startDockerRegistry()));
    const gate = await stack.keep(
      startGate({
        configuration: {
          listen: { address: "127.0.0.1:0", trustedProxies: ["127.0.0.1"], ...listen },
          upstream: { url: used.url, ...upstream },
          auth: { backends: [{ type: "htpasswd", file: "htpasswd" }], ...auth },
          access,
        },
        files: { htpasswd: await passwordFile({ [user]: password }), ...files },
      }),
    );
    return { registry: used, gate, stack };
  } catch (error) {
    await stack.close();
    throw error;
  }
}

/** What a front is told beside what a good one needs. */
export interface FrontSettings {
  /** In the block `http`. */
  readonly http?: string;
  /** In the block `server`. */
  readonly server?: string;
  /** In the block `location /v2/`. */
  readonly location?: string;
  /** Leaves these lines of a good front out. */
  readonly without?: readonly (keyof typeof goodLines)[];
  readonly tls?: { readonly certificate: string; readonly key: string };
  /** What it passes requests on to. Default: the gate. */
  readonly to?: string;
}

const goodLines = {
  size: "client_max_body_size 0;",
  buffering: "proxy_request_buffering off;",
  version: "proxy_http_version 1.1;",
  host: "proxy_set_header Host $http_host;",
  scheme: "proxy_set_header X-Forwarded-Proto $scheme;",
};

/** nginx before a gate. */
export function startFront(gate: string, settings: FrontSettings = {}): Promise<Nginx> {
  const { http = "", server = "", location = "", without = [], tls, to = gate } = settings;
  const lines = Object.entries(goodLines).flatMap(([name, line]) => (without.some((out) => out === name) ? [] : line));
  const secure = tls === undefined ? "" : `ssl_certificate ${tls.certificate}; ssl_certificate_key ${tls.key};`;
  return startNginx({
    files: { "login.html": "<html>Sign in</html>", "missing.html": "<html>Not found</html>" },
    http: (port) => `
      ${http}
      server {
        listen 127.0.0.1:${port}${tls === undefined ? "" : " ssl"};
        ${secure}
        ${server}
        location /v2/ {
          ${lines.join("\n")}
          proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
          proxy_pass ${to};
          ${location}
        }
        location /pages/ { internal; default_type text/html; alias ./; }
      }`,
  });
}

/** The configuration of a gate, with the port that it listens on. */
export async function configurationOf({ directory, address }: RunningGate): Promise<object> {
  const written: { listen: object } = JSON.parse(await readFile(join(directory, "registry-gate.yaml"), "utf8"));
  return { ...written, listen: { ...written.listen, address } };
}
