import { once } from "node:events";
import { copyFile, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type ConnectionOptions, connect } from "node:tls";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { basic } from "../support/basic.ts";
import { type CertificateFiles, makeCertificate, makeClientCertificate } from "../support/certificate.ts";
import { type RunningGate, startGate } from "../support/gate.ts";
import { passwordFile } from "../support/password-file.ts";
import { run } from "../support/run.ts";
import { scanTls, type TlsScan } from "../support/sslscan.ts";
import { type ScriptedUpstream, startUpstream } from "../support/upstream.ts";

let upstream: ScriptedUpstream;
let htpasswd: string;
let certificates: { ec: CertificateFiles; rsa: CertificateFiles };
const gates: RunningGate[] = [];

beforeAll(async () => {
  upstream = await startUpstream((_, response) => response.end("{}"));
  htpasswd = await passwordFile({ alice: "alice-password" });
  const [ec, rsa] = await Promise.all([makeCertificate(), makeCertificate(undefined, [], "rsa")]);
  certificates = { ec, rsa };
});

afterEach(async () => {
  for (const gate of gates.splice(0)) await gate.close();
});

afterAll(() => upstream.close());

const configurationOf = (tls: object): object => ({
  listen: { address: "127.0.0.1:0", tls: { certificate: "server.crt", key: "server.key", ...tls } },
  upstream: { url: upstream.url },
  auth: { backends: [{ type: "htpasswd", file: "htpasswd" }] },
});

async function start(tls: object, { certificate, key, authority }: CertificateFiles): Promise<RunningGate> {
  const gate = await startGate({
    configuration: configurationOf(tls),
    files: {
      htpasswd,
      "server.crt": await readFile(certificate, "utf8"),
      "server.key": await readFile(key, "utf8"),
      "authority.crt": await readFile(authority, "utf8"),
    },
  });
  gates.push(gate);
  return gate;
}

const scan = (gate: RunningGate): Promise<TlsScan> => scanTls(new URL(gate.url).host);

const suitesOf = ({ cipher }: TlsScan, version: string): string[] =>
  cipher.filter(({ sslversion }) => sslversion === version).map((suite) => suite.cipher);

/** Forward secrecy and authenticated encryption: every suite of TLS 1.3, and these of TLS 1.2. */
const good =
  /^TLS_(?:AES_\d+_GCM|CHACHA20_POLY1305)_SHA\d+$|^(?:ECDHE|DHE)-(?:ECDSA-|RSA-)(?:AES\d+-GCM-SHA\d+|CHACHA20-POLY1305)$/;

function expectGoodRating(found: TlsScan): void {
  const enabled = found.protocol.filter((protocol) => protocol.enabled === "1");
  expect(enabled.map(({ type, version }) => `${type} ${version}`)).toEqual(["tls 1.2", "tls 1.3"]);
  for (const version of ["TLSv1.2", "TLSv1.3"]) expect(suitesOf(found, version)).toHaveLength(3);
  for (const { cipher, bits, strength, ecdhebits, dhebits } of found.cipher) {
    expect(cipher).toMatch(good);
    expect(Number(bits), cipher).toBeGreaterThanOrEqual(128);
    expect(["strong", "acceptable"], cipher).toContain(strength);
    if (dhebits !== undefined) expect(Number(dhebits), cipher).toBeGreaterThanOrEqual(2048);
    else expect(Number(ecdhebits), cipher).toBeGreaterThanOrEqual(253);
  }
  expect(found.group.length).toBeGreaterThan(0);
  // The strength of 2048 bits of Diffie and Hellman (NIST SP 800-57).
  for (const { name, bits } of found.group) expect(Number(bits), name).toBeGreaterThanOrEqual(112);
  for (const { supported, secure } of found.renegotiation) expect([supported, secure]).not.toEqual(["1", "0"]);
  for (const { supported } of found.compression ?? []) expect(supported).toBe("0");
  for (const { vulnerable } of found.heartbleed) expect(vulnerable).toBe("0");
}

test("a client cannot have the keys of a connection made anew, again and again", async () => {
  const gate = await start({}, certificates.ec);
  const { hostname, port } = new URL(gate.url);
  const ca = await readFile(certificates.ec.authority);
  const socket = connect({ host: hostname, port: Number(port), servername: "localhost", ca, maxVersion: "TLSv1.2" });
  await once(socket, "secureConnect");
  const refused = new Promise((resolve) => {
    socket.once("error", resolve);
    socket.renegotiate({}, (error) => {
      if (error !== null) resolve(error);
      else resolve("the keys were made anew");
    });
  });
  expect(await refused).toBeInstanceOf(Error);
  socket.destroy();
});

describe("sslscan finds neither old versions nor weak suites, curves or compression", () => {
  test.each(["ec", "rsa"] as const)("with a key of the type %s", async (type) => {
    expectGoodRating(await scan(await start({}, certificates[type])));
  });

  test("after a new certificate was loaded", async () => {
    const gate = await start({}, certificates.rsa);
    await copyFile(certificates.ec.certificate, join(gate.directory, "server.crt"));
    await copyFile(certificates.ec.key, join(gate.directory, "server.key"));
    await gate.logged(({ event }) => event === "certificate reloaded");
    const found = await scan(gate);
    expectGoodRating(found);
    expect(suitesOf(found, "TLSv1.2")).toContain("ECDHE-ECDSA-AES128-GCM-SHA256");
  });
});

describe("listen.tls.ciphers", () => {
  test("replaces the suites of TLS 1.2 in the given order, without a restart", async () => {
    const gate = await start({}, certificates.rsa);
    const old = "AES128-SHA:ECDHE-RSA-AES256-SHA:DHE-RSA-AES128-GCM-SHA256";
    await gate.configure(configurationOf({ ciphers: old }));
    await gate.logged(({ event }) => event === "reloaded");
    const found = await scan(gate);
    expect(suitesOf(found, "TLSv1.2")).toEqual(old.split(":"));
    expect(suitesOf(found, "TLSv1.3")).toHaveLength(3);
  });

  test("can name suites of TLS 1.3, too", async () => {
    const found = await scan(
      await start({ ciphers: "TLS_AES_128_GCM_SHA256:ECDHE-RSA-CHACHA20-POLY1305" }, certificates.rsa),
    );
    expect(suitesOf(found, "TLSv1.3")).toEqual(["TLS_AES_128_GCM_SHA256"]);
    expect(suitesOf(found, "TLSv1.2")).toEqual(["ECDHE-RSA-CHACHA20-POLY1305"]);
  });

  test("can leave TLS 1.2 without any", async () => {
    const found = await scan(await start({ ciphers: "TLS_AES_256_GCM_SHA384" }, certificates.rsa));
    expect(found.cipher.map(({ cipher }) => cipher)).toEqual(["TLS_AES_256_GCM_SHA384"]);
  });

  test("never offers suites without encryption or without a certificate", async () => {
    const found = await scan(await start({ ciphers: "ALL:COMPLEMENTOFALL:@SECLEVEL=0" }, certificates.rsa));
    expect(suitesOf(found, "TLSv1.2")).toContain("AES128-SHA");
    for (const { cipher } of found.cipher) expect(cipher).not.toMatch(/NULL|^(?:ADH|AECDH)/);
  });
});

test.each(["--tls-max 1.2 --tlsv1.2", "--tlsv1.3"])("curl pings with %s", async (options) => {
  for (const files of [certificates.ec, certificates.rsa]) {
    const gate = await start({}, files);
    const login = ["--user", "alice:alice-password", "--cacert", files.authority];
    const written = await run("curl", [
      ...options.split(" "),
      ...["--silent", "--show-error", "--output", "/dev/null", "--write-out", "%{http_code}"],
      ...login,
      `${gate.url}/v2/`,
    ]);
    expect(written).toBe("200");
  }
});

describe("listen.tls.clientAuth", () => {
  /** The status of a ping, or how the connection failed. */
  async function ping(gate: RunningGate, options: ConnectionOptions): Promise<string> {
    const { hostname: host, port } = new URL(gate.url);
    const ca = await readFile(certificates.ec.authority);
    const socket = connect({ host, port: Number(port), ca, servername: "localhost", ...options });
    let text = "";
    socket.on("data", (chunk: Buffer) => {
      text += chunk.toString("latin1");
    });
    socket.on("error", () => {});
    const { authorization } = basic("alice", "alice-password");
    socket.write(
      `GET /v2/ HTTP/1.1\r\nHost: localhost\r\nAuthorization: ${authorization}\r\nConnection: close\r\n\r\n`,
    );
    await new Promise((resolve) => void socket.once("close", resolve));
    return /^HTTP\/1\.1 (\d{3})/.exec(text)?.[1] ?? "refused";
  }

  async function clients(): Promise<Record<"known" | "stranger" | "nobody", ConnectionOptions>> {
    const known = await makeClientCertificate(dirname(certificates.ec.authority), "known");
    const stranger = await makeClientCertificate(dirname(certificates.rsa.authority), "stranger");
    return {
      known: { cert: await readFile(known.certificate), key: await readFile(known.key) },
      stranger: { cert: await readFile(stranger.certificate), key: await readFile(stranger.key) },
      nobody: {},
    };
  }

  test("required refuses the handshake of a client without a certificate of clientCa; optional and none do not", async () => {
    const { known, stranger, nobody } = await clients();
    const gate = await start({ clientCa: "authority.crt", clientAuth: "required" }, certificates.ec);
    for (const version of ["TLSv1.2", "TLSv1.3"] as const) {
      const versions = { minVersion: version, maxVersion: version };
      expect(await ping(gate, { ...known, ...versions }), version).toBe("200");
      expect(await ping(gate, { ...stranger, ...versions }), version).toBe("refused");
      expect(await ping(gate, { ...nobody, ...versions }), version).toBe("refused");
    }
    for (const clientAuth of ["optional", "none"]) {
      const reloads = (): number => gate.lines().filter(({ event }) => event === "reloaded").length;
      const before = reloads();
      await gate.configure(configurationOf({ clientCa: "authority.crt", clientAuth }));
      await expect.poll(reloads).toBe(before + 1);
      // Another socket: its port is another one, too.
      const address = gate.lines().findLast(({ event }) => event === "listening")?.address;
      const moved = { ...gate, url: `https://${address}` };
      for (const options of [known, stranger, nobody]) expect(await ping(moved, options), clientAuth).toBe("200");
    }
    await gate.configure(configurationOf({ clientCa: "authority.crt", clientAuth: "required" }));
    const address = (): unknown => gate.lines().findLast(({ event }) => event === "listening")?.address;
    await expect
      .poll(async () => ping({ ...gate, url: `https://${address()}` }, nobody), { interval: 200 })
      .toBe("refused");
    expect(await ping({ ...gate, url: `https://${address()}` }, known)).toBe("200");
  });

  test("required asks anew who comes back with a session", async () => {
    const { known } = await clients();
    const gate = await start({ clientCa: "authority.crt", clientAuth: "required" }, certificates.ec);
    const { hostname: host, port } = new URL(gate.url);
    const ca = await readFile(certificates.ec.authority);
    const versions = { minVersion: "TLSv1.2", maxVersion: "TLSv1.2" } as const;
    const socket = connect({ host, port: Number(port), ca, servername: "localhost", ...versions, ...known });
    const session = new Promise<Buffer>((resolve) => void socket.once("session", resolve));
    await once(socket, "secureConnect");
    const ticket = await session;
    socket.destroy();
    // Without the certificate the session is still the one of who had it; with other authorities it is worth nothing.
    await copyFile(certificates.rsa.authority, join(gate.directory, "authority.crt"));
    await gate.logged(({ event }) => event === "certificate reloaded");
    expect(await ping(gate, { ...versions, session: ticket })).toBe("refused");
    expect(await ping(gate, { ...versions, ...known })).toBe("refused");
  });
});
