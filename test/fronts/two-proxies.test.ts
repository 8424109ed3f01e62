import { afterAll, beforeAll, expect, test } from "vitest";
import { type Apache, startApache } from "../support/apache.ts";
import { basic } from "../support/basic.ts";
import { type RunningGate, startGate } from "../support/gate.ts";
import { type Nginx, startNginx } from "../support/nginx.ts";
import { passwordFile } from "../support/password-file.ts";
import { type ScriptedUpstream, startUpstream } from "../support/upstream.ts";

/** Where the connections of nginx to Apache, and of Apache to the gate, come from. */
const nginxAddress = "127.0.0.3";
const apacheAddress = "127.0.0.2";
const client = "127.0.0.1";

const closing: { close(): Promise<unknown> }[] = [];
const kept = async <T extends { close(): Promise<unknown> }>(opening: Promise<T>): Promise<T> => {
  const thing = await opening;
  closing.unshift(thing);
  return thing;
};

let upstream: ScriptedUpstream;
let files: Readonly<Record<string, string>>;

beforeAll(async () => {
  // Shows what a registry is told of the client.
  upstream = await kept(
    startUpstream(({ headers }, response) => {
      const forwardedHeaders = [
        "host",
        "x-forwarded-for",
        "x-forwarded-host",
        "x-forwarded-proto",
        "x-real-ip",
        "forwarded",
      ];
      response.end(JSON.stringify(Object.fromEntries(forwardedHeaders.map((name) => [name, headers[name]]))));
    }),
  );
  files = { htpasswd: await passwordFile({ alice: "secret" }) };
});

afterAll(async () => {
  for (const thing of closing) await thing.close();
});

function gateTrusting(...trustedProxies: readonly string[]): Promise<RunningGate> {
  return kept(
    startGate({
      configuration: {
        listen: { address: "127.0.0.1:0", trustedProxies },
        upstream: { url: upstream.url },
        auth: { backends: [{ type: "htpasswd", file: "htpasswd" }] },
      },
      files,
    }),
  );
}

/** Apache adds what it has seen to `X-Forwarded-For` and `X-Forwarded-Host`, and changes `Host`. */
function apacheBefore(gate: RunningGate): Promise<Apache> {
  const configuration = [
    "ProxyPreserveHost Off",
    `ProxySourceAddress ${apacheAddress}`,
    `ProxyPass /v2/ ${gate.url}/v2/ nocanon`,
  ];
  return kept(startApache({ modules: [], configuration: async () => configuration }));
}

function nginxBefore({ port: apache }: Apache, headers: readonly string[]): Promise<Nginx> {
  return kept(
    startNginx({
      http: (port) => `
        server {
          listen 127.0.0.1:${port};
          location / {
            proxy_pass http://127.0.0.1:${apache};
            proxy_bind ${nginxAddress};
            proxy_http_version 1.1;
            ${headers.map((header) => `proxy_set_header ${header};`).join("\n            ")}
          }
        }`,
    }),
  );
}

async function forwardedHeaders(nginx: Nginx, headers: Record<string, string> = {}): Promise<unknown> {
  const response = await fetch(`http://127.0.0.1:${nginx.port}/v2/team/app/tags/list`, {
    headers: { ...basic("alice", "secret"), ...headers },
  });
  expect(response.status).toBe(200);
  return response.json();
}

const older = [
  "Host $http_host",
  "X-Forwarded-For $remote_addr",
  "X-Forwarded-Proto https",
  "X-Forwarded-Host registry.example.com",
];

test("nginx before Apache before the gate: the client, its scheme and its host are those that nginx has seen", async () => {
  const gate = await gateTrusting(apacheAddress, nginxAddress);
  const nginx = await nginxBefore(await apacheBefore(gate), older);
  const spoofed = { "x-forwarded-host": "evil.example.com", "x-forwarded-for": "6.6.6.6", "x-forwarded-proto": "http" };
  for (const headers of [{}, spoofed]) {
    expect(await forwardedHeaders(nginx, headers)).toMatchObject({
      "x-forwarded-for": `${client}, ${nginxAddress}, ${apacheAddress}`,
      "x-forwarded-host": "registry.example.com",
      "x-forwarded-proto": "https",
      "x-real-ip": client,
    });
  }
  const record = await gate.logged(({ event }) => event === "request");
  expect(record.client).toBe(client);
});

test("where nginx is not trusted, it is the client, and the host is the one that Apache has seen", async () => {
  const gate = await gateTrusting(apacheAddress);
  const nginx = await nginxBefore(await apacheBefore(gate), older);
  expect(await forwardedHeaders(nginx)).toMatchObject({
    "x-forwarded-host": `127.0.0.1:${nginx.port}`,
    "x-real-ip": nginxAddress,
  });
  const record = await gate.logged(({ event }) => event === "request");
  expect(record.client).toBe(nginxAddress);
});

test("trusts a proxy that sends only Forwarded, and forwards its values in X-Forwarded-*", async () => {
  const gate = await gateTrusting(nginxAddress);
  const nginx = await kept(
    startNginx({
      http: (port) => `
        server {
          listen 127.0.0.1:${port};
          location / {
            proxy_pass ${gate.url};
            proxy_bind ${nginxAddress};
            proxy_set_header Forwarded 'for="$remote_addr:$remote_port";host="registry.example.com:8443";proto=https';
          }
        }`,
    }),
  );
  const heard = await forwardedHeaders(nginx, { forwarded: "for=6.6.6.6;host=evil.example.com" });
  expect(heard).toMatchObject({
    "x-forwarded-for": `${client}, ${nginxAddress}`,
    "x-forwarded-host": "registry.example.com:8443",
    "x-forwarded-proto": "https",
    "x-real-ip": client,
  });
  expect(heard).not.toHaveProperty("forwarded");
});

test("ignores a client's Forwarded beside a proxy's X-Forwarded-*, and warns once", async () => {
  const gate = await gateTrusting(apacheAddress, nginxAddress);
  const nginx = await nginxBefore(await apacheBefore(gate), older);
  for (let count = 0; count < 3; count++) {
    const heard = await forwardedHeaders(nginx, { forwarded: "for=6.6.6.6;host=evil.example.com;proto=http" });
    expect(heard).toMatchObject({ "x-forwarded-host": "registry.example.com", "x-real-ip": client });
  }
  await gate.logged(({ msg }) => typeof msg === "string" && msg.includes("Forwarded is ignored"));
  expect(gate.output().match(/Forwarded is ignored/g)).toHaveLength(1);
});
