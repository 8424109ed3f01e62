import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { copyFile, readFile } from "node:fs/promises";
import { request } from "node:https";
import { dirname, join } from "node:path";
import { connect } from "node:tls";
import { afterAll, beforeAll, expect, test } from "vitest";
import { basic } from "../support/basic.ts";
import {
  type CertificateFiles,
  type ClientCertificateFiles,
  makeCertificate,
  makeClientCertificate,
} from "../support/certificate.ts";
import { freePort } from "../support/free-port.ts";
import { type RunningGate, startGate } from "../support/gate.ts";
import { startNginx } from "../support/nginx.ts";
import { passwordFile } from "../support/password-file.ts";
import { type ScriptedUpstream, startUpstream } from "../support/upstream.ts";

let upstream: ScriptedUpstream;
let gate: RunningGate;
let files: CertificateFiles;
/** The proxy's, another one of the same authority, and one of an authority that nobody knows. */
let proxy: ClientCertificateFiles;
let colleague: ClientCertificateFiles;
let stranger: ClientCertificateFiles;

beforeAll(async () => {
  upstream = await startUpstream((_, response) => response.end("{}"));
  files = await makeCertificate();
  proxy = await makeClientCertificate(dirname(files.authority), "proxy");
  colleague = await makeClientCertificate(dirname(files.authority), "colleague");
  const elsewhere = await makeCertificate();
  stranger = await makeClientCertificate(dirname(elsewhere.authority), "proxy");
  const { fingerprint256 } = new X509Certificate(await readFile(proxy.certificate));
  gate = await startGate({
    configuration: {
      listen: {
        // The same at each reload.
        address: `127.0.0.1:${await freePort()}`,
        tls: { certificate: "server.crt", key: "server.key", clientCa: "authority.crt" },
      },
      upstream: { url: upstream.url },
      auth: {
        backends: [
          {
            type: "sso-header",
            trustedProxies: ["127.0.0.1"],
            userHeader: "X-Forwarded-User",
            clientCertificate: { fingerprints: [fingerprint256] },
          },
          { type: "htpasswd", file: "htpasswd" },
        ],
      },
    },
    files: {
      htpasswd: await passwordFile({ robot: "robot-password" }),
      "server.crt": await readFile(files.certificate, "utf8"),
      "server.key": await readFile(files.key, "utf8"),
      "authority.crt": await readFile(files.authority, "utf8"),
    },
  });
});

afterAll(async () => {
  await gate?.close();
  await upstream?.close();
});

const naming = { "x-forwarded-user": "alice" };

/** Asks for the list of a repository's tags with a certificate, or without one. */
async function ask(headers: Record<string, string>, shown?: ClientCertificateFiles): Promise<number | undefined> {
  const call = request(`${gate.url}/v2/team/app/tags/list`, {
    headers,
    ca: await readFile(files.authority),
    agent: false,
    ...(shown !== undefined && { cert: await readFile(shown.certificate), key: await readFile(shown.key) }),
  });
  call.end();
  const [response] = await once(call, "response");
  response.resume();
  return response.statusCode;
}

test("nginx that shows its certificate names the user", async () => {
  const nginx = await startNginx({
    http: (port) => `
      server {
        listen 127.0.0.1:${port};
        location /v2/ {
          proxy_pass ${gate.url};
          proxy_ssl_certificate ${proxy.certificate};
          proxy_ssl_certificate_key ${proxy.key};
          proxy_ssl_trusted_certificate ${files.authority};
          proxy_ssl_verify on;
          proxy_ssl_name localhost;
          proxy_set_header X-Forwarded-User alice;
        }
      }`,
  });
  try {
    expect((await fetch(`http://127.0.0.1:${nginx.port}/v2/nginx/app/tags/list`)).status).toBe(200);
    expect(await gate.logged(({ repository }) => repository === "nginx/app")).toMatchObject({ username: "alice" });
  } finally {
    await nginx.close();
  }
});

test("authenticates nobody by a foreign, unknown or missing certificate from the same address", async () => {
  expect(await ask(naming, proxy)).toBe(200);
  for (const shown of [colleague, stranger, undefined]) expect(await ask(naming, shown)).toBe(401);
});

test("a docker client needs no certificate", async () => {
  expect(await ask(basic("robot", "robot-password"))).toBe(200);
  expect(await ask(basic("robot", "robot-password"), stranger)).toBe(200);
});

test("authorities that were replaced count no longer, not even in a session that is resumed", async () => {
  const { hostname: host, port } = new URL(gate.url);
  const connection = {
    host,
    port: Number(port),
    servername: "localhost",
    ca: await readFile(files.authority),
    cert: await readFile(proxy.certificate),
    key: await readFile(proxy.key),
  };
  const head = [
    "GET /v2/team/app/tags/list HTTP/1.1",
    "Host: localhost",
    "X-Forwarded-User: alice",
    "Connection: close",
  ];
  async function visit(session?: Buffer): Promise<{ response: string; session: Buffer | undefined; resumed: boolean }> {
    const socket = connect({ ...connection, session });
    let ticket: Buffer | undefined;
    let response = "";
    let resumed = false;
    socket.on("session", (next: Buffer) => {
      ticket = next;
    });
    socket.on("data", (chunk: Buffer) => {
      response += chunk.toString();
      resumed = socket.isSessionReused();
    });
    socket.write(`${head.join("\r\n")}\r\n\r\n`);
    await once(socket, "close");
    return { response, session: ticket, resumed };
  }
  const before = await visit();
  expect(before.response).toMatch(/^HTTP\/1\.1 200 /);
  const again = await visit(before.session);
  expect(again.response).toMatch(/^HTTP\/1\.1 200 /);
  expect(again.resumed).toBe(true);

  const others = await makeCertificate();
  await copyFile(others.authority, join(gate.directory, "authority.crt"));
  await gate.logged(({ event }) => event === "certificate reloaded");
  const after = await visit(before.session);
  expect(after.resumed).toBe(false);
  expect(after.response).toMatch(/^HTTP\/1\.1 401 /);
});

test("applies a configuration without client certificates by a reload, and then authenticates nobody by one", async () => {
  await gate.put("authority.crt", await readFile(files.authority, "utf8"));
  await expect.poll(() => ask(naming, proxy), { timeout: 20_000 }).toBe(200);
  const asking = JSON.parse(await readFile(join(gate.directory, "registry-gate.yaml"), "utf8"));
  const { clientCa: _, ...tls } = asking.listen.tls;
  await gate.configure({ ...asking, listen: { ...asking.listen, tls } });
  await gate.logged(({ event }) => event === "reloaded");
  expect(await ask(naming, proxy)).toBe(401);
  await gate.configure(asking);
  await expect.poll(() => ask(naming, proxy).catch(() => undefined), { timeout: 20_000 }).toBe(200);
});
