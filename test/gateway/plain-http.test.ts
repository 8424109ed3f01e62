import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { dirname, join } from "node:path";
import { Duplex } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import { type ConnectionOptions, connect as connectTls } from "node:tls";
import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { type CertificateFiles, makeCertificate, makeClientCertificate } from "../support/certificate.ts";
import { type RunningGate, startGate } from "../support/gate.ts";
import type { LogLine } from "../support/logged-server.ts";
import { connectRaw, exchangeRaw } from "../support/raw-client.ts";
import { runCommand } from "../support/run.ts";

/** What comes to a TLS port and is no TLS, or comes to no end of its handshake. */

let certificates: CertificateFiles;
const gates: RunningGate[] = [];
const sockets: Socket[] = [];

beforeAll(async () => {
  certificates = await makeCertificate();
});

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  for (const gate of gates.splice(0)) await gate.close();
});

interface Listen {
  readonly tls?: object;
  readonly address?: string;
  readonly maxConnections?: number;
}

async function start({ tls = {}, ...rest }: Listen = {}, more: object = {}): Promise<RunningGate> {
  const gate = await startGate({
    configuration: {
      listen: { address: "127.0.0.1:0", ...rest, tls: { certificate: "server.crt", key: "server.key", ...tls } },
      upstream: { url: "http://127.0.0.1:1" },
      auth: { backends: [{ type: "htpasswd", file: "htpasswd" }] },
      ...more,
    },
    files: {
      htpasswd: "",
      "server.crt": await readFile(certificates.certificate, "utf8"),
      "server.key": await readFile(certificates.key, "utf8"),
      "authority.crt": await readFile(certificates.authority, "utf8"),
    },
  });
  gates.push(gate);
  return gate;
}

async function open(gate: RunningGate): Promise<Socket> {
  const { hostname: host, port } = new URL(gate.url);
  const socket = connect({ host, port: Number(port) });
  sockets.push(socket);
  socket.on("error", () => {});
  await once(socket, "connect");
  return socket;
}

const said = "this port speaks HTTPS, and the request came as plain HTTP";
const ping = "GET /v2/ HTTP/1.1\r\nHost: h\r\n\r\n";

describe("plain HTTP on a port for TLS", () => {
  test("is refused with 400 in words, in the format of every other error, and logged", async () => {
    const gate = await start();
    const [response] = await exchangeRaw(gate.url, ping);
    expect(response?.status).toBe(400);
    expect(Object.fromEntries(response?.headers ?? [])).toMatchObject({
      "content-type": "application/json; charset=utf-8",
      connection: "close",
    });
    expect(JSON.parse(response?.body ?? "")).toEqual({
      errors: [
        {
          code: "UNSUPPORTED",
          message: expect.stringContaining(said),
          detail: { requestId: response?.headers.get("x-request-id") },
        },
      ],
    });
    expect(await gate.logged(({ event }) => event === "plain HTTP")).toMatchObject({
      level: "info",
      client: "127.0.0.1",
      method: "GET",
      status: 400,
    });
  });

  test("is refused once, and the connection closed, whatever is sent", async () => {
    const gate = await start();
    for (const [what, bytes, status] of [
      ["HEAD", "HEAD /v2/ HTTP/1.1\r\nHost: h\r\n\r\n", 400],
      ["HTTP/1.0 without a Host header", "OPTIONS / HTTP/1.0\r\n\r\n", 400],
      ["a method in lower case", "get / HTTP/1.0\r\n\r\n", 400],
      ["a body, and a second request", `POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc${ping}`, 400],
      ["a body held back", "PUT /x HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n", 400],
      ["CONNECT", "CONNECT registry:443 HTTP/1.1\r\nHost: h\r\n\r\n", 405],
      ["SSH", "SSH-2.0-OpenSSH_9.2\r\n\r\n", 400],
      ["too long a head", `GET /${"x".repeat(40_000)} HTTP/1.1\r\n\r\n`, 431],
    ] as const) {
      const client = await connectRaw(gate.url);
      client.write(bytes);
      await client.ended();
      expect(client.text().match(/HTTP\/1\.1 \d+/g), what).toEqual([`HTTP/1.1 ${status}`]);
    }
    expect(await runCommand("curl", ["-sk", `${gate.url}/v2/`])).toMatchObject({ code: 0 });
  });

  test("is said to a client that still sends a large body", async () => {
    const gate = await start();
    const url = `${gate.url.replace("https", "http")}/v2/`;
    const input = Buffer.alloc(8 * 1024 * 1024);
    const curl = await runCommand("curl", ["-sS", "-H", "Expect:", "-T", "-", url], { input });
    expect(curl).toMatchObject({ code: 0, stdout: expect.stringContaining(said) });
  });

  test("is refused on a Unix socket too", async () => {
    const gate = await start({ address: "unix:gate.sock" });
    const path = join(gate.directory, "gate.sock");
    const plain = await runCommand("curl", ["-sS", "--unix-socket", path, "http://localhost/v2/"]);
    expect(plain.stdout).toContain(said);
    const secure = await runCommand("curl", ["-sSk", "--unix-socket", path, "https://localhost/v2/"]);
    expect(secure.stdout).toContain("UNAUTHORIZED");
  });

  test("gives its place back, and counts for its address", async () => {
    const gate = await start({ maxConnections: 2 }, { limits: { connectionsPerAddress: 4 } });
    for (let round = 0; round < 10; round++) expect((await exchangeRaw(gate.url, ping))[0]?.status).toBe(400);
    // Requests that never come whole.
    const waiting = [await open(gate), await open(gate), await open(gate), await open(gate)];
    for (const socket of waiting) socket.write("GET /v2/ HTTP/1.1\r\n");
    const refused = await open(gate);
    await once(refused, "close");
    // However it drips, nobody without TLS stays for long.
    const drip = setInterval(() => waiting[0]?.write("X: y\r\n"), 500);
    await Promise.all(waiting.map((socket) => socket.resume() && once(socket, "close")));
    clearInterval(drip);
    expect((await exchangeRaw(gate.url, ping))[0]?.status).toBe(400);
  });

  test("does not keep SIGTERM waiting", async () => {
    const gate = await start();
    const waiting = await open(gate);
    waiting.write("GET /v2/ HTTP/1.1\r\n");
    await open(gate);
    await delay(200);
    gate.kill("SIGTERM");
    expect(await Promise.race([gate.ended, delay(8000, "late", { ref: false })])).toBe(0);
  });
});

test("a handshake whose bytes come one by one succeeds", async () => {
  const gate = await start();
  const raw = await open(gate);
  // Everything that the client writes goes over the wire byte by byte.
  const slow = new Duplex({
    read() {},
    async write(chunk: Buffer, _, done) {
      for (const byte of chunk) {
        raw.write(Buffer.from([byte]));
        await delay(1);
      }
      done();
    },
  });
  raw.setNoDelay(true).on("data", (chunk: Buffer) => slow.push(chunk));
  const socket = connectTls({ socket: slow, servername: "localhost", ca: await readFile(certificates.authority) });
  socket.write(ping);
  const [chunk] = await once(socket, "data");
  expect(String(chunk)).toMatch(/^HTTP\/1\.1 401 /);
});

describe("a TLS handshake that fails is logged", () => {
  /** Tries a handshake, and waits for its end. */
  async function handshake(gate: RunningGate, options: ConnectionOptions): Promise<void> {
    const { hostname: host, port } = new URL(gate.url);
    const socket = connectTls({ host, port: Number(port), rejectUnauthorized: false, ...options });
    sockets.push(socket);
    socket.on("error", () => {});
    // A request: in TLS 1.3 the client is told of a certificate that is not accepted after its own end of the handshake.
    socket.write(ping);
    socket.resume();
    await new Promise((resolve) => socket.once("close", resolve));
  }

  const failed = ({ event }: LogLine): boolean => event === "handshake failed";

  test.each<[why: string, listen: Listen, client: ConnectionOptions, line: LogLine]>([
    [
      "without a version in common",
      { tls: { minVersion: "TLSv1.3" } },
      { maxVersion: "TLSv1.2" },
      { reason: "no version of TLS in common", code: "ERR_SSL_UNSUPPORTED_PROTOCOL" },
    ],
    [
      "without a cipher suite in common",
      {},
      { maxVersion: "TLSv1.2", ciphers: "AES128-SHA" },
      { reason: "no cipher suite in common", code: "ERR_SSL_NO_SHARED_CIPHER" },
    ],
    [
      "without the certificate that is required",
      { tls: { clientCa: "authority.crt", clientAuth: "required" } },
      {},
      { reason: "the client sent no certificate", code: "ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE" },
    ],
  ])("%s", async (_, listen, client, line) => {
    const gate = await start(listen);
    await handshake(gate, client);
    expect(await gate.logged(failed)).toMatchObject({ level: "info", client: "127.0.0.1", ...line });
  });

  test("with a certificate of another authority", async () => {
    const gate = await start({ tls: { clientCa: "authority.crt", clientAuth: "required" } });
    const strangers = await makeCertificate();
    const { certificate, key } = await makeClientCertificate(dirname(strangers.certificate), "stranger");
    const [cert, privateKey] = [await readFile(certificate), await readFile(key)];
    await handshake(gate, { cert, key: privateKey });
    expect(await gate.logged(failed)).toMatchObject({
      client: "127.0.0.1",
      reason: "the client's certificate was rejected",
      code: "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
    });
  });

  test("by a client that does not trust the gate's certificate, and says so", async () => {
    const gate = await start();
    const curl = await runCommand("curl", ["-sS", `${gate.url}/v2/`]);
    expect(curl.code).toBe(60);
    expect(await gate.logged(failed)).toMatchObject({
      client: "127.0.0.1",
      reason: expect.stringMatching(/certificate/),
    });
  });

  test("by a client that leaves, and by one that resets the connection, once each", async () => {
    const gate = await start();
    const hello = Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00]);
    const leaving = await open(gate);
    leaving.end(hello);
    const resetting = await open(gate);
    resetting.write(hello);
    const garbage = await open(gate);
    garbage.write("\0\x01\x02\x03\x04\x05");
    // The gate has accepted those before it, too.
    await once(garbage.resume(), "close");
    resetting.resetAndDestroy();
    await expect.poll(() => gate.lines().filter(failed).length).toBe(3);
    await delay(500);
    const lines = gate.lines().filter(failed);
    expect(lines.map(({ client }) => client)).toEqual(["127.0.0.1", "127.0.0.1", "127.0.0.1"]);
    const left = "the client closed the connection; it may not trust the certificate";
    expect(lines.map(({ reason }) => reason).sort()).toEqual([left, left, "the client does not speak TLS"]);
  });

  test("but not a check whether the port is open, which sends nothing", async () => {
    const gate = await start();
    const [closed, reset] = [await open(gate), await open(gate)];
    closed.end();
    reset.resetAndDestroy();
    await once(closed.resume(), "close");
    const last = await open(gate);
    last.end(Buffer.from([0x16]));
    expect(await gate.logged(failed)).toMatchObject({ client: "127.0.0.1" });
    expect(gate.lines().filter(failed)).toHaveLength(1);
  });

  test("a few times a second, and the others are counted", async () => {
    const gate = await start();
    const count = 100;
    const clients = await Promise.all(Array.from({ length: count }, () => open(gate)));
    for (const client of clients) client.resume().write("\0\x01\x02\x03\x04\x05");
    const told = (): number =>
      gate
        .lines()
        .filter(failed)
        .reduce((sum, { leftOut }) => sum + (typeof leftOut === "number" ? leftOut : 1), 0);
    await expect.poll(told).toBe(count);
    expect(gate.lines().filter(failed).length).toBeLessThan(count);
  });
});
