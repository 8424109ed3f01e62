import { once } from "node:events";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { addressSet } from "@registry-gate/auth-kit";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openListener } from "../src/listener/listener.ts";
import { ownOrigin } from "../src/listener/listener-origin.ts";
import { listenOnUnixSocket } from "../src/listener/unix-socket.ts";

let directory: string;
let path: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "unix-socket-"));
  path = join(directory, "s");
});

afterEach(() => rm(directory, { recursive: true, force: true }));

test("of two that listen on one path at the same moment, one is refused", async () => {
  const servers = [createServer(), createServer()];
  const place = { path, mode: undefined, group: undefined, shared: false };
  const outcomes = await Promise.allSettled(servers.map((server) => listenOnUnixSocket(server, place, undefined)));
  expect(outcomes.map(({ status }) => status).toSorted()).toEqual(["fulfilled", "rejected"]);
  const refused = outcomes.find((outcome) => outcome.status === "rejected");
  expect(String(refused?.reason)).toContain(`unix:${path} is in use`);
  expect(await readdir(directory)).toEqual(["s"]);
  for (const server of servers) server.close();
});

test("who has connected before a listener is closed is served", async () => {
  const listener = await openListener(
    { address: { socket: path } },
    undefined,
    {
      inactivity: 60_000,
      headersTimeout: 30_000,
      maxConnections: 100,
      connectionsPerAddress: 100,
      trustedProxies: addressSet([]),
    },
    {
      checkHealth: () => false,
      handle: (_, response) => void response.end("served"),
      unreadable: () => {},
      pressure: () => {},
      handshakeFailed: () => {},
      plain: () => {},
    },
    ownOrigin(),
  );
  // In an event of the same kind as those by which Node learns of connections.
  const first = connect(path);
  await once(first, "connect");
  const clients = Array.from({ length: 10 }, () => connect(path));
  const closed = listener.close();
  const texts = clients.map(async (client) => {
    client.write("GET / HTTP/1.0\r\n\r\n");
    let text = "";
    for await (const chunk of client) text += String(chunk);
    return text;
  });
  for (const text of await Promise.all(texts)) expect(text).toMatch(/served$/);
  first.destroy();
  await closed;
  expect(await readdir(directory)).toEqual([]);
});
