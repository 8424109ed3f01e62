import { once } from "node:events";
import { readFile } from "node:fs/promises";
import type { ServerResponse } from "node:http";
import { connect, type NetConnectOpts, type Socket } from "node:net";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { connect as connectTls } from "node:tls";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { basic } from "../support/basic.ts";
import { type CertificateFiles, makeCertificate } from "../support/certificate.ts";
import { type RunningGate, startGate } from "../support/gate.ts";
import { passwordFile } from "../support/password-file.ts";
import { type ScriptedUpstream, startUpstream } from "../support/upstream.ts";

const { authorization } = basic("alice", "alice-password");
const ping = `GET /v2/ HTTP/1.1\r\nHost: registry.example.com\r\nAuthorization: ${authorization}\r\n\r\n`;
const blob = `/v2/team/app/blobs/sha256:${"0".repeat(64)}`;
const upload = "/v2/team/app/blobs/uploads/0f0c5ff3-2f2f-4f2f-9f2f-0f0c5ff32f2f";

let upstream: ScriptedUpstream;
let certificates: CertificateFiles;
let htpasswd: string;
/** Downloads that have begun. */
let downloads: ServerResponse[] = [];
/** Bodies of uploads, as far as they have come. */
let uploaded = "";
const gates: RunningGate[] = [];
const sockets: Socket[] = [];

beforeAll(async () => {
  upstream = await startUpstream(async (request, response) => {
    if (request.method === "GET" && request.url?.includes("/blobs/") === true) {
      response.writeHead(200, { "content-length": "16" }).write("before, ");
      downloads.push(response);
      return;
    }
    request.on("data", (chunk: Buffer) => {
      uploaded += chunk.toString();
    });
    await once(request, "end").catch(() => {});
    response.writeHead(request.method === "PATCH" ? 202 : 200, { "content-length": "0" }).end();
  });
  certificates = await makeCertificate();
  htpasswd = await passwordFile({ alice: "alice-password" });
});

afterEach(async () => {
  downloads = [];
  uploaded = "";
  for (const socket of sockets.splice(0)) socket.destroy();
  for (const gate of gates.splice(0)) await gate.close();
});

afterAll(() => upstream.close());

interface Settings {
  readonly listen?: object;
  readonly limits?: object;
  readonly secure?: boolean;
}

function configurationOf({ listen = {}, limits, secure = false }: Settings): object {
  const tls = { certificate: "server.crt", key: "server.key" };
  return {
    listen: { address: "127.0.0.1:0", ...(secure && { tls }), ...listen },
    upstream: { url: upstream.url },
    auth: { backends: [{ type: "htpasswd", file: "htpasswd" }] },
    ...(limits !== undefined && { limits }),
  };
}

async function start(settings: Settings): Promise<RunningGate> {
  const files = {
    htpasswd,
    "server.crt": await readFile(certificates.certificate, "utf8"),
    "server.key": await readFile(certificates.key, "utf8"),
  };
  const gate = await startGate({ configuration: configurationOf(settings), files });
  gates.push(gate);
  return gate;
}

/** A connection and what came on it. */
interface Client {
  readonly socket: Socket;
  text(): string;
  /** Resolves when the gate has closed it. */
  readonly closed: Promise<void>;
  /** Sends bytes, and resolves with the status that comes next; `closed` where the connection ends before. */
  ask(bytes: string): Promise<number | "closed">;
}

async function open(gate: RunningGate, from: Partial<NetConnectOpts> = {}): Promise<Client> {
  const { hostname, port } = new URL(gate.url);
  const socket = connect({ host: hostname.replace(/^\[|\]$/g, ""), port: Number(port), ...from });
  await once(socket, "connect");
  return clientOn(socket);
}

function clientOn(socket: Socket): Client {
  sockets.push(socket);
  let text = "";
  socket.on("error", () => {});
  socket.setEncoding("latin1").on("data", (chunk: string) => {
    text += chunk;
  });
  const closed = new Promise<void>((resolve) => void socket.once("close", () => resolve()));
  return {
    socket,
    text: () => text,
    closed,
    async ask(bytes) {
      const before = text.length;
      socket.write(bytes);
      for (;;) {
        const over = socket.destroyed;
        const head = text.slice(before).split("\r\n\r\n", 2);
        if (head.length === 2) return Number(head[0]?.slice("HTTP/1.1 ".length, "HTTP/1.1 200".length));
        if (over) return "closed";
        await delay(10);
      }
    },
  };
}

/** As `promise`, or `late` after so many milliseconds. */
function within<T>(milliseconds: number, promise: Promise<T>): Promise<T | "late"> {
  return Promise.race([promise, delay(milliseconds, "late" as const, { ref: false })]);
}

/** How soon somebody is to be served when all places are taken by idle connections, in milliseconds. */
const soon = 5000;
/** How soon a connection that says nothing is to be closed, in milliseconds. */
const silenceLimit = 20_000;

test("closes connections that say nothing, or begin no TLS handshake, or do not finish it", async () => {
  const [plain, secure] = [await start({}), await start({ secure: true })];
  const [unix, secureUnix] = [
    await start({ listen: { address: "unix:gate.sock" } }),
    await start({ listen: { address: "unix:gate.sock" }, secure: true }),
  ];
  const onSocket = async ({ directory }: RunningGate): Promise<Client> => {
    const socket = connect(join(directory, "gate.sock"));
    await once(socket, "connect");
    return clientOn(socket);
  };
  const slow = await open(plain);
  const dripping = await open(secure);
  const clients: Record<string, Client> = {
    "plain, silent": await open(plain),
    "TLS, never begun": await open(secure),
    "TLS, begun and never finished": dripping,
    "Unix socket, silent": await onSocket(unix),
    "Unix socket, TLS never begun": await onSocket(secureUnix),
  };
  const { hostname: host, port } = new URL(secure.url);
  const shaken = connectTls({ host, port: Number(port), rejectUnauthorized: false });
  await once(shaken, "secureConnect");
  clients["TLS, silent after the handshake"] = clientOn(shaken);

  // The beginning of a ClientHello of 512 bytes, byte by byte.
  const hello = [
    0x16,
    0x03,
    0x01,
    0x02,
    0x00,
    0x01,
    0x00,
    0x01,
    0xfc,
    0x03,
    0x03,
    ...Array.from({ length: 50 }, () => 7),
  ];
  const drip = async (client: Client, bytes: readonly number[], pause: number): Promise<void> => {
    for (const byte of bytes) {
      if (client.socket.destroyed) return;
      client.socket.write(Buffer.from([byte]));
      await delay(pause);
    }
  };
  void drip(dripping, hello, 400);
  // A head that takes longer than a client may be silent, and less than a head may take.
  const answered = slow.ask("");
  void drip(slow, [...Buffer.from(ping)], 13_000 / ping.length);

  const ends = Object.entries(clients).map(async ([name, client]) => [name, await within(silenceLimit, client.closed)]);
  expect(Object.fromEntries(await Promise.all(ends))).toEqual(
    Object.fromEntries(Object.keys(clients).map((name) => [name, undefined])),
  );
  for (const [name, client] of Object.entries(clients)) expect(client.text(), name).toBe("");
  expect(await answered).toBe(200);
});

describe("when all places are taken", () => {
  test.each([
    ["plain", false],
    ["TLS", true],
  ])("by idle connections, the longest idle makes place for a new one (%s)", async (_, secure) => {
    const gate = await start({ listen: { maxConnections: 20 }, secure });
    const { hostname: host, port } = new URL(gate.url);
    const openAny = async (): Promise<Client> => {
      if (!secure) return open(gate);
      const socket = connectTls({ host, port: Number(port), rejectUnauthorized: false });
      await once(socket, "secureConnect");
      return clientOn(socket);
    };
    const idle: Client[] = [];
    for (let index = 0; index < 20; index++) {
      const client = await openAny();
      expect(await client.ask(ping)).toBe(200);
      idle.push(client);
    }
    await delay(3000);
    // All but the first two have been used since.
    for (const client of idle.slice(2)) expect(await client.ask(ping)).toBe(200);
    await delay(2500);
    const newcomer = await openAny();
    expect(await within(soon, newcomer.ask(ping))).toBe(200);
    const another = await openAny();
    expect(await within(soon, another.ask(ping))).toBe(200);
    await Promise.all([idle[0]?.closed, idle[1]?.closed]);
    for (const client of [...idle.slice(2), newcomer, another]) expect(client.socket.destroyed).toBe(false);
    expect(await gate.logged(({ event }) => event === "connections closed")).toMatchObject({ refused: 0 });
  });

  test("by connections that were used just now, a new one waits until one of them is idle", async () => {
    const gate = await start({ listen: { maxConnections: 3 } });
    const idle = await Promise.all([1, 2, 3].map(() => open(gate)));
    for (const client of idle) expect(await client.ask(ping)).toBe(200);
    const newcomers = await Promise.all([1, 2].map(() => open(gate)));
    const asked = newcomers.map((client) => within(soon, client.ask(ping)));
    expect(await Promise.all(asked)).toEqual([200, 200]);
  });

  test("by silent connections, more than Node takes in, a new one is served", async () => {
    const gate = await start({ listen: { maxConnections: 1000 }, limits: { connectionsPerAddress: 5000 } });
    const silent: Client[] = [];
    // In portions: the system takes in only so many at once.
    for (let portion = 0; portion < 15; portion++) {
      silent.push(...(await Promise.all(Array.from({ length: 100 }, () => open(gate)))));
    }
    // Node has turned some of them away, because there are too many.
    await expect.poll(() => silent.some(({ socket }) => socket.destroyed)).toBe(true);
    expect(silent.filter(({ socket }) => !socket.destroyed).length).toBeGreaterThan(1000);
    const served = async (): Promise<unknown> => {
      const client = await open(gate).catch(() => undefined);
      return client?.ask(ping);
    };
    await expect.poll(served, { timeout: soon, interval: 200 }).toBe(200);
  });

  test("those that handle requests are never closed for others, however slow they are", async () => {
    const gate = await start({ listen: { maxConnections: 4 } });
    const uploader = await open(gate);
    const line = `PATCH ${upload} HTTP/1.1\r\nHost: h\r\nAuthorization: ${authorization}\r\n`;
    uploader.socket.write(`${line}Content-Type: application/octet-stream\r\nContent-Length: 16\r\n\r\nbefore, `);
    const reader = await open(gate);
    reader.socket.write(`GET ${blob} HTTP/1.1\r\nHost: h\r\nAuthorization: ${authorization}\r\n\r\n`);
    await expect.poll(() => [uploaded, downloads.length]).toEqual(["before, ", 1]);

    for (let index = 0; index < 6; index++) {
      const newcomer = await open(gate);
      expect(await within(soon, newcomer.ask(ping))).toBe(200);
      await delay(500);
    }
    // Now all are busy: a new client is refused at once.
    const busy = await Promise.all([open(gate), open(gate)]);
    for (const client of busy) client.socket.write(ping.replace("/v2/ ", `${blob} `));
    await expect.poll(() => downloads.length).toBe(3);
    const told = await open(gate);
    expect(await told.ask(ping)).toBe(503);
    expect(told.text()).toMatch(/\r\nRetry-After: \d+\r\n/i);
    expect(told.text()).toContain('"code":"UNAVAILABLE"');
    await told.closed;

    expect(await uploader.ask("after...")).toBe(202);
    expect(uploaded).toBe("before, after...");
    for (const download of downloads) download.end("after...");
    await expect.poll(() => reader.text()).toMatch(/\r\n\r\nbefore, after\.\.\.$/);
  });
});

describe("one address has no more connections than limits.connectionsPerAddress", () => {
  /** The statuses of so many connections that are opened one after the other and stay open. */
  async function openMany(gate: RunningGate, count: number, from: Partial<NetConnectOpts> = {}): Promise<unknown[]> {
    const statuses: unknown[] = [];
    for (let index = 0; index < count; index++) statuses.push(await (await open(gate, from)).ask(ping));
    return statuses;
  }

  const five = [200, 200, 200, 200, 200];

  test("others are not counted, trusted proxies are exempt, and places are given back", async () => {
    const gate = await start({ limits: { connectionsPerAddress: 5 }, listen: { trustedProxies: ["127.0.0.3"] } });
    expect(await openMany(gate, 6)).toEqual([...five, "closed"]);
    expect(await openMany(gate, 6, { localAddress: "127.0.0.2" })).toEqual([...five, "closed"]);
    expect(await openMany(gate, 20, { localAddress: "127.0.0.3" })).toEqual([...five, ...five, ...five, ...five]);
    expect(await gate.logged(({ event }) => event === "connections closed")).toMatchObject({
      level: "warn",
      client: expect.stringMatching(/^127\.0\.0\.[12]$/),
      refused: expect.any(Number),
      evicted: 0,
    });
    const [first] = sockets;
    first?.destroy();
    await expect.poll(() => openMany(gate, 1)).toEqual([200]);
    expect(await openMany(gate, 1)).toEqual(["closed"]);
  });

  test("a new limit counts after a reload", async () => {
    const settings = { listen: { address: "127.0.0.1:0" }, limits: { connectionsPerAddress: 5 } };
    const gate = await start(settings);
    expect(await openMany(gate, 6)).toEqual([...five, "closed"]);
    await gate.configure(configurationOf({ ...settings, limits: { connectionsPerAddress: 7 } }));
    await gate.logged(({ event }) => event === "reloaded");
    expect(await openMany(gate, 3)).toEqual([200, 200, "closed"]);
  });

  test("connections are counted while they still shake hands", async () => {
    const gate = await start({ limits: { connectionsPerAddress: 5 }, secure: true });
    const waiting = await Promise.all(five.map(() => open(gate)));
    const further = await open(gate);
    await further.closed;
    expect(waiting.map(({ socket }) => socket.destroyed)).toEqual(five.map(() => false));
  });

  test("distinguishes IPv4 from IPv6 on a dual-stack socket", async () => {
    const gate = await start({
      limits: { connectionsPerAddress: 5 },
      listen: { address: "[::]:0", trustedProxies: ["127.0.0.3"] },
    });
    expect(await openMany(gate, 6, { host: "::1" })).toEqual([...five, "closed"]);
    expect(await openMany(gate, 6, { host: "127.0.0.1" })).toEqual([...five, "closed"]);
    const proxied = { host: "127.0.0.1", localAddress: "127.0.0.3" };
    expect(await openMany(gate, 7, proxied)).toEqual([...five, 200, 200]);
  });
});

test("SIGTERM does not wait for connections that have not begun: silent ones, and TLS handshakes", async () => {
  for (const secure of [false, true]) {
    const gate = await start({ secure });
    await open(gate);
    gate.kill("SIGTERM");
    expect(await within(10_000, gate.ended)).toBe(0);
  }
});

test("a TLS listener on a Unix socket serves", async () => {
  const gate = await start({ listen: { address: "unix:gate.sock", trustedProxies: ["unix:"] }, secure: true });
  const socket = connectTls({ path: join(gate.directory, "gate.sock"), rejectUnauthorized: false });
  await once(socket, "secureConnect");
  expect(await clientOn(socket).ask(ping)).toBe(200);
});
