import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startApache } from "../support/apache.ts";
import { basic } from "../support/basic.ts";
import { type CertificateFiles, makeCertificate } from "../support/certificate.ts";
import { type DockerRegistry, type HttpSettings, startDockerRegistry } from "../support/docker-registry.ts";
import { freePort } from "../support/free-port.ts";
import { type RunningGate, startGate } from "../support/gate.ts";
import { startNginx } from "../support/nginx.ts";
import { passwordFile } from "../support/password-file.ts";
import { digestOf } from "../support/registry-content.ts";
import { ask, type Front, read } from "./front.ts";

const user = basic("testuser", "testpassword");
const content = "a blob whose place is told";
const digest = digestOf(content);

interface Closable {
  close(): Promise<unknown>;
}

/** Where a client is to send its requests, and how it calls that place: `scheme://host`. */
interface Door extends Front {
  readonly origin: string;
}

let certificate: CertificateFiles;
let authority: string;
let files: Readonly<Record<string, string>>;
const opened: Closable[] = [];

beforeAll(async () => {
  certificate = await makeCertificate();
  authority = await readFile(certificate.authority, "utf8");
  files = {
    htpasswd: await passwordFile({ testuser: "testpassword" }),
    "server.crt": await readFile(certificate.certificate, "utf8"),
    "server.key": await readFile(certificate.key, "utf8"),
  };
});

afterAll(async () => {
  for (const thing of opened.reverse()) await thing.close();
});

async function kept<T extends Closable>(opening: Promise<T>): Promise<T> {
  const thing = await opening;
  opened.push(thing);
  return thing;
}

function gateBefore(registry: DockerRegistry, listen: object): Promise<RunningGate> {
  return kept(
    startGate({
      configuration: {
        listen: { address: "127.0.0.1:0", ...listen },
        upstream: { url: registry.url },
        auth: { backends: [{ type: "htpasswd", file: "htpasswd" }] },
      },
      files,
    }),
  );
}

/** A balancer that terminates TLS in front of a gate without. */
async function balancerBefore(gate: RunningGate, ...headers: readonly string[]): Promise<number> {
  const { port } = await kept(
    startNginx({
      http: (free) => `
        server {
          listen 127.0.0.1:${free} ssl;
          ssl_certificate server.crt;
          ssl_certificate_key server.key;
          location / {
            proxy_pass ${gate.url};
            proxy_http_version 1.1;
            proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
            ${headers.map((header) => `proxy_set_header ${header};`).join("\n            ")}
          }
        }`,
      files,
    }),
  );
  return port;
}

/** Two proxies in a row, as a company's edge and a department's server are. Apache changes Host, and adds what it saw. */
async function nginxAndApacheBefore(gate: RunningGate): Promise<number> {
  const apache = await kept(
    startApache({
      modules: [],
      configuration: async () => [`ProxyPass /v2/ ${gate.url}/v2/ nocanon`, "ProxyPreserveHost Off"],
    }),
  );
  const { port } = await kept(
    startNginx({
      http: (free) => `
        server {
          listen 127.0.0.1:${free} ssl;
          ssl_certificate server.crt;
          ssl_certificate_key server.key;
          location / {
            proxy_pass http://127.0.0.1:${apache.port};
            proxy_http_version 1.1;
            proxy_set_header X-Forwarded-For $remote_addr;
            proxy_set_header X-Forwarded-Proto $scheme;
            proxy_set_header X-Forwarded-Host $http_host;
          }
        }`,
      files,
    }),
  );
  return port;
}

const tls = { certificate: "server.crt", key: "server.key" };
const trusting = { trustedProxies: ["127.0.0.1"] };

const portOf = (gate: RunningGate): number => Number(new URL(gate.url).port);

/** Each of the ways by which a client comes to a gate. */
const ways: readonly (readonly [way: string, open: (registry: DockerRegistry) => Promise<Door>])[] = [
  [
    "straight to the gate's TLS, on a port of its own",
    async (registry) => {
      const port = portOf(await gateBefore(registry, { tls }));
      return { port, authority, origin: `https://localhost:${port}` };
    },
  ],
  [
    "straight to the gate's TLS, by a name without a port, as on 443",
    async (registry) => {
      const port = portOf(await gateBefore(registry, { tls }));
      return { port, authority, origin: "https://registry.example" };
    },
  ],
  [
    "straight to the gate without TLS",
    async (registry) => {
      const port = portOf(await gateBefore(registry, {}));
      return { port, origin: `http://localhost:${port}` };
    },
  ],
  [
    "by a balancer that keeps Host and tells the scheme, on a port of its own",
    async (registry) => {
      const gate = await gateBefore(registry, trusting);
      const port = await balancerBefore(gate, "Host $http_host", "X-Forwarded-Proto $scheme");
      return { port, authority, origin: `https://localhost:${port}` };
    },
  ],
  [
    "by a balancer that keeps Host and tells the scheme, by a name without a port, as on 443",
    async (registry) => {
      const gate = await gateBefore(registry, trusting);
      const port = await balancerBefore(gate, "Host $http_host", "X-Forwarded-Proto $scheme");
      return { port, authority, origin: "https://registry.example" };
    },
  ],
  [
    "by a balancer that changes Host, and tells scheme and host",
    async (registry) => {
      const gate = await gateBefore(registry, trusting);
      const port = await balancerBefore(
        gate,
        "Host gate.internal",
        "X-Forwarded-Proto $scheme",
        "X-Forwarded-Host $http_host",
      );
      return { port, authority, origin: `https://localhost:${port}` };
    },
  ],
  [
    "by a balancer that the gate reaches by TLS, too",
    async (registry) => {
      const gate = await gateBefore(registry, { tls, ...trusting });
      const port = await balancerBefore(gate, "Host $http_host", "X-Forwarded-Proto $scheme");
      return { port, authority, origin: `https://localhost:${port}` };
    },
  ],
  [
    "by a balancer that changes Host, tells nothing, and is not trusted",
    async (registry) => {
      const port = await balancerBefore(await gateBefore(registry, {}), "Host gate.internal");
      return { port, authority, origin: `https://localhost:${port}` };
    },
  ],
  [
    "by nginx and then Apache, of which each tells what it has seen",
    async (registry) => {
      const port = await nginxAndApacheBefore(await gateBefore(registry, trusting));
      return { port, authority, origin: `https://localhost:${port}` };
    },
  ],
];

/** What a registry can be told about the addresses that it gives out. */
const registries: readonly (readonly [kind: string, settings: () => Promise<HttpSettings>])[] = [
  ["absolute URLs by the host it is asked for", async () => ({})],
  ["relative URLs", async () => ({ relativeurls: true })],
  ["absolute URLs with a public name of its own", async () => ({ host: "https://images.example.com" })],
  [
    "absolute URLs with its own address",
    async () => {
      const port = await freePort();
      return { addr: `127.0.0.1:${port}`, host: `http://127.0.0.1:${port}` };
    },
  ],
];

describe.each(registries)("a registry that gives out %s", (_, settings) => {
  let registry: DockerRegistry;
  beforeAll(async () => {
    registry = await kept(startDockerRegistry(await settings()));
  });

  test.each(ways)("is usable %s", async (_way, open) => {
    const door = await open(registry);
    const host = new URL(door.origin).host;
    const visit = async (method: string, location: string, body?: string) => {
      const url = new URL(location, door.origin);
      // The client would go nowhere else with it.
      expect(url.origin).toBe(door.origin);
      const target = url.pathname + url.search;
      const headers = {
        ...user,
        Host: host,
        ...(body !== undefined && { "content-type": "application/octet-stream" }),
      };
      const response = await ask(door, { method, target, headers, ...(body !== undefined && { body }) });
      const { status, headers: answered, body: text } = await read(door, response);
      return { status, location: response.headers.location ?? "", digest: answered["docker-content-digest"], text };
    };
    const started = await visit("POST", "/v2/team/app/blobs/uploads/");
    expect(started.status).toBe(202);
    // Whatever stands in front has told: it is right all the same.
    expect(started.location).toMatch(/^\/v2\/team\/app\/blobs\/uploads\//);
    const moved = await visit("PATCH", started.location, content);
    expect(moved.status).toBe(202);
    const finished = await visit("PUT", `${moved.location}&digest=${encodeURIComponent(digest)}`);
    expect(finished).toMatchObject({ status: 201, digest });
    expect(await visit("GET", finished.location)).toMatchObject({ status: 200, text: content });
  });
});
