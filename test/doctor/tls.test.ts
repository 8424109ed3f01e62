import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createSecureServer, createServer } from "node:http2";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { makeCertificateChain } from "../support/certificate-chain.ts";
import { startDockerRegistry } from "../support/docker-registry.ts";
import { listen } from "../support/listen.ts";
import { startNginx } from "../support/nginx.ts";
import { nginxRecipe } from "../support/nginx-recipe.ts";
import { passwordFile } from "../support/password-file.ts";
import { run } from "../support/run.ts";
import { type CertificateSettings, makeServerCertificate, type ServerFiles } from "./certificates.ts";
import { doctor, password, user } from "./doctor.ts";
import { type Scene, startFront, startScene } from "./scene.ts";

let directory: string;
let good: ServerFiles;
let plain: Scene;
let bearer: Scene;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "doctor-tls-"));
  good = await makeServerCertificate(directory, "good");
  plain = await startScene();
  bearer = await startScene({ auth: { challenge: "bearer" } }, plain.registry);
});

afterAll(async () => {
  await bearer.stack.close();
  await plain.stack.close();
  await rm(directory, { recursive: true, force: true });
});

/** A front with TLS before a gate. */
async function startSecure(tls: { certificate: string; key: string }, more: object = {}, { gate } = plain) {
  const front = await startFront(gate.url, { tls, ...more });
  onTestFinished(() => front.close());
  return front.port;
}

test("finds nothing behind a front with TLS whose authority is given", async () => {
  const port = await startSecure(good);
  const diagnosis = await doctor(["--url", `https://localhost:${port}`, "--ca", good.authority]);
  expect(diagnosis).toMatchObject({ code: 0, ids: [] });
});

const past = "20200101000000Z";
test.each<[id: string, certificate: string, settings: CertificateSettings, seen: RegExp]>([
  ["certificate-expired", "has expired", { from: past, to: "20200201000000Z" }, /expired on Feb +1 .* 2020/],
  [
    "certificate-not-yet-valid",
    "is of the future",
    { from: "20990101000000Z", to: "20990201000000Z" },
    /valid from Jan +1 .* 2099/,
  ],
  [
    "certificate-name",
    "is for another name",
    { names: "DNS:registry.example.com" },
    /registry\.example\.com, not for localhost/,
  ],
])("finds %s where the certificate %s", async (id, _, settings, seen) => {
  const files = await makeServerCertificate(directory, id, settings);
  const port = await startSecure(files);
  const diagnosis = await doctor(["--url", `https://localhost:${port}`, "--ca", files.authority]);
  expect(diagnosis).toMatchObject({ code: 1, ids: [id] });
  expect(diagnosis.findings[0]?.seen).toMatch(seen);
});

describe("an authority that is not trusted", () => {
  test("is named, with the files in which docker, containerd and podman look for it", async () => {
    const port = await startSecure(good);
    const other = await makeServerCertificate(directory, "other");
    const diagnosis = await doctor(["--url", `https://localhost:${port}`, "--ca", other.authority]);
    expect(diagnosis).toMatchObject({ code: 1, ids: ["certificate-authority"] });
    const [finding] = diagnosis.findings;
    expect(finding?.seen).toContain("good authority");
    for (const place of ["/etc/docker/certs.d", "/etc/containers/certs.d", "/etc/containerd/certs.d"]) {
      expect(finding?.mend).toContain(`${place}/localhost:${port}/`);
    }
  });

  test("is found where a certificate is signed by itself", async () => {
    const self = { certificate: join(directory, "self.crt"), key: join(directory, "self.key") };
    const options = [
      "-newkey",
      "rsa:2048",
      "-nodes",
      "-subj",
      "/CN=localhost",
      "-keyout",
      self.key,
      "-out",
      self.certificate,
    ];
    await run("openssl", ["req", "-x509", ...options]);
    const port = await startSecure(self);
    const diagnosis = await doctor(["--url", `https://localhost:${port}`]);
    expect(diagnosis).toMatchObject({ code: 1, ids: ["certificate-authority"] });
    expect(diagnosis.findings[0]?.seen).toContain("signed by itself");
  });
});

test("finds an incomplete chain where the certificate says that there is more of it", async () => {
  const files = await makeServerCertificate(directory, "chain", { namesIssuer: true });
  const port = await startSecure(files);
  const diagnosis = await doctor(["--url", `https://localhost:${port}`]);
  expect(diagnosis).toMatchObject({ code: 1, ids: ["certificate-chain"] });
});

test("says of an intermediate authority that the server must send it too", async () => {
  await makeCertificateChain(directory);
  const port = await startSecure({ certificate: join(directory, "server.crt"), key: join(directory, "server.key") });
  const diagnosis = await doctor(["--url", `https://localhost:${port}`, "--ca", join(directory, "root.crt")]);
  expect(diagnosis).toMatchObject({ code: 1, ids: ["certificate-authority"] });
  expect(diagnosis.findings[0]?.seen).toContain("CN=intermediate");
  expect(diagnosis.findings[0]?.mend).toContain(
    "If that authority is an intermediate one, the server must send it too",
  );
});

test("finds TLS where the URL is one of plain HTTP, at the gate and at nginx", async () => {
  const [certificate, key] = [await readFile(good.certificate, "utf8"), await readFile(good.key, "utf8")];
  const { gate, stack } = await startScene(
    {
      listen: { tls: { certificate: "server.crt", key: "server.key" } },
      files: { "server.crt": certificate, "server.key": key },
    },
    plain.registry,
  );
  onTestFinished(() => stack.close());
  const port = await startSecure(good);
  for (const url of [gate.url.replace("https:", "http:"), `http://localhost:${port}`]) {
    expect(await doctor(["--url", url])).toMatchObject({ code: 1, ids: ["http-on-tls-port"] });
  }
});

test("finds plain HTTP where the URL is one of HTTPS", async () => {
  const url = plain.gate.url.replace("http:", "https:");
  expect(await doctor(["--url", url])).toMatchObject({ code: 1, ids: ["tls-on-http-port"] });
});

test("finds a server that speaks HTTP/2 alone, with TLS and without", async () => {
  const secure = createSecureServer({
    ...{ allowHTTP1: false, cert: await readFile(good.certificate), key: await readFile(good.key) },
  });
  // By itself it has a page for clients without HTTP/2, which other servers do not have.
  secure.on("unknownProtocol", (socket) => socket.destroy());
  const open = createServer();
  const [securePort, openPort] = [await listen(secure), await listen(open)];
  onTestFinished(() => {
    secure.close();
    open.close();
  });
  const over = await doctor(["--url", `https://localhost:${securePort}`, "--ca", good.authority]);
  expect(over).toMatchObject({ code: 1, ids: ["http2-only"] });
  expect(await doctor(["--url", `http://127.0.0.1:${openPort}`])).toMatchObject({ code: 1, ids: ["http2-only"] });
});

test("finds nginx and a gate that demand a certificate of clients", async () => {
  const port = await startSecure(good, {
    server: `ssl_client_certificate ${good.authority}; ssl_verify_client on;`,
  });
  const [certificate, key] = [await readFile(good.certificate, "utf8"), await readFile(good.key, "utf8")];
  const files = { "server.crt": certificate, "server.key": key, "clients.crt": await readFile(good.authority, "utf8") };
  const tls = { certificate: "server.crt", key: "server.key", clientCa: "clients.crt", clientAuth: "required" };
  const { gate, stack } = await startScene({ listen: { tls }, files }, plain.registry);
  onTestFinished(() => stack.close());
  for (const url of [`https://localhost:${port}`, gate.url]) {
    const diagnosis = await doctor(["--url", url, "--ca", good.authority]);
    expect(diagnosis).toMatchObject({ code: 1, ids: ["tls-handshake"] });
  }
});

test("finds a realm of plain HTTP where the front does not say that clients came by HTTPS", async () => {
  const port = await startSecure(good, { without: ["scheme"] }, bearer);
  const diagnosis = await doctor(["--url", `https://localhost:${port}`, "--ca", good.authority]);
  expect(diagnosis).toMatchObject({ code: 1, ids: ["realm-http"] });
  expect(diagnosis.steps.find(({ step }) => step === "pull")).toMatchObject({ outcome: "ok" });
});

test("finds a Location of plain HTTP from a registry behind docker's recipe without X-Forwarded-Proto", async () => {
  const registry = await startDockerRegistry();
  onTestFinished(() => registry.close());
  const front = await startNginx({
    files: { htpasswd: await passwordFile({ [user]: password }) },
    http: (port) =>
      nginxRecipe({
        ...{ port, registry: new URL(registry.url).host, passwordFile: "htpasswd" },
        tls: good,
      }).replace(/.*X-Forwarded-Proto.*\n/, ""),
  });
  onTestFinished(() => front.close());
  const diagnosis = await doctor(["--url", `https://localhost:${front.port}`, "--ca", good.authority]);
  expect(diagnosis).toMatchObject({ code: 1, outcome: "failed" });
  expect([...diagnosis.ids].sort()).toEqual(["body-buffered", "location-scheme"]);
});
