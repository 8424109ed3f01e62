import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer as createPlainServer, type ServerResponse } from "node:http";
import { createServer as createSecureServer } from "node:https";
import { connect, type Socket } from "node:net";
import { connect as connectSecurely } from "node:tls";
import { expect, onTestFinished, test } from "vitest";
import { makeCertificate } from "../../../../test/support/certificate.ts";
import { listen } from "../../../../test/support/listen.ts";
import { BodyWriter } from "../../src/forward/body-writer.ts";

interface Client {
  readonly socket: Socket;
  /** What the server is to respond on. */
  readonly response: ServerResponse;
  /** The length of the body that has come so far. */
  received(): number;
}

/** A client that reads nothing until it is told to. */
async function stoppedClient(secure: boolean): Promise<Client> {
  const { promise, resolve } = Promise.withResolvers<ServerResponse>();
  const respond = (_: unknown, response: ServerResponse): void => {
    response.writeHead(200, { "content-length": String(64 * 2 ** 20) });
    resolve(response);
  };
  const files = secure ? await makeCertificate() : undefined;
  const server =
    files === undefined
      ? createPlainServer(respond)
      : createSecureServer({ key: await readFile(files.key), cert: await readFile(files.certificate) }, respond);
  const port = await listen(server);
  const socket = secure ? connectSecurely({ port, rejectUnauthorized: false }) : connect({ port, host: "127.0.0.1" });
  socket.on("error", () => {});
  onTestFinished(() => {
    socket.destroy();
    server.close();
  });
  await once(socket, secure ? "secureConnect" : "connect");
  socket.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  let bytes = Buffer.alloc(0);
  let length = 0;
  socket.on("data", (chunk: Buffer) => {
    length += chunk.length;
    bytes = Buffer.concat([bytes, chunk]).subarray(0, 4096);
  });
  socket.pause();
  return { socket, response: await promise, received: () => length - (bytes.indexOf("\r\n\r\n") + 4) };
}

const way = [
  { by: "plain HTTP", secure: false },
  { by: "TLS", secure: true },
];

test.each(way)("by $by a client that does not read holds one chunk, and gets all when it reads", async ({ secure }) => {
  const { socket, response, received } = await stoppedClient(secure);
  let resumed = 0;
  const writer = new BodyWriter(response, () => resumed++);
  const held = new Set<number>();
  let count = 0;
  const write = (): boolean => {
    const number = count++;
    held.add(number);
    return writer.write(Buffer.alloc(8192, "x"), () => held.delete(number));
  };
  // Until nothing more is taken, not even with time.
  for (let taken = -1; taken !== count; ) {
    taken = count;
    while (write()) expect(held.size).toBe(0);
    expect(held.size).toBe(1);
    const before = resumed;
    for (let turn = 0; turn < 50 && resumed === before; turn++) await new Promise((go) => setImmediate(go));
    if (resumed === before) break;
    expect(held.size).toBe(0);
  }
  expect(held.size).toBe(1);
  const before = resumed;
  socket.resume();
  await expect.poll(() => resumed).toBe(before + 1);
  expect(held.size).toBe(0);
  await expect.poll(received).toBe(count * 8192);
});

test.each(way)("by $by a long chunk that is kept anyway is handed over bit by bit", async ({ secure }) => {
  const { socket, response, received } = await stoppedClient(secure);
  const kept = Buffer.alloc(64 * 2 ** 20, "x");
  const writer = new BodyWriter(response, () => {});
  expect(writer.write(kept, undefined)).toBe(false);
  let ended = false;
  writer.end(() => {
    ended = true;
    response.end();
  });
  for (let turn = 0; turn < 200; turn++) {
    expect(response.writableLength).toBeLessThanOrEqual(70_000);
    await new Promise((go) => setImmediate(go));
  }
  expect(ended).toBe(false);
  socket.resume();
  await once(response, "finish");
  expect(ended).toBe(true);
  await expect.poll(received).toBe(kept.length);
});

test("memory that is lent is returned with an error where the connection ends", async () => {
  const { socket, response } = await stoppedClient(false);
  const writer = new BodyWriter(response, () => {});
  const results: unknown[] = [];
  let length = 0;
  while (writer.write(Buffer.alloc(2 ** 20), (error) => results.push(error))) length++;
  expect(results).toEqual(Array(length).fill(undefined));
  socket.destroy();
  await expect.poll(() => results.length).toBe(length + 1);
  expect(results.at(-1)).toBeInstanceOf(Error);
});

test("who has a hand in the response gets bytes of their own", async () => {
  const { response } = await stoppedClient(false);
  const seen: Buffer[] = [];
  response.write = (chunk: unknown): boolean => {
    if (chunk instanceof Buffer) seen.push(chunk);
    return seen.length < 2;
  };
  let resumed = 0;
  const writer = new BodyWriter(response, () => resumed++);
  const lent = Buffer.from("abc");
  const consumed = (): void => void lent.fill("!");
  expect(writer.write(lent, consumed)).toBe(true);
  lent.write("def");
  expect(writer.write(lent, consumed)).toBe(false);
  expect(seen.map(String)).toEqual(["abc", "def"]);
  response.emit("drain");
  expect(resumed).toBe(1);
});
