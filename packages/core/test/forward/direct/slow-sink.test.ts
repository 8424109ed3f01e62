import { readFile } from "node:fs/promises";
import { createServer as createPlainServer } from "node:http";
import { createServer } from "node:https";
import { expect, onTestFinished, test } from "vitest";
import { makeCertificate } from "../../../../../test/support/certificate.ts";
import { listen } from "../../../../../test/support/listen.ts";
import type { ResponseSink } from "../../../src/forward/transport.ts";
import { openUpstream, type Upstream } from "../../../src/forward/upstream.ts";

/** Reads a body whose every chunk is one too many, until it is asked for the next. */
function readSlowly(upstream: Upstream): Promise<number> {
  return new Promise((resolve, reject) => {
    let length = 0;
    const sink: ResponseSink = {
      head() {},
      chunk(chunk, consumed) {
        length += chunk.length;
        setImmediate(() => {
          consumed?.();
          transfer.resume();
        });
        return false;
      },
      flush() {},
      end: () => resolve(length),
      failed: ({ error }) => reject(error),
    };
    const keys = { route: undefined, connectionKey: "alice", clientKey: "alice" };
    const transfer = upstream.send(
      { method: "GET", target: "/", headers: { host: "x" }, body: undefined, ...keys },
      sink,
    );
  });
}

test("a connection whose response ends while its client is behind is read on", async () => {
  const files = await makeCertificate();
  const [key, cert] = [await readFile(files.key), await readFile(files.certificate)];
  let connections = 0;
  // All records of a response arrive in one read: they are decrypted even where the first of them was one too many.
  const server = createServer({ key, cert }, (_, response) => {
    response.cork();
    for (let chunk = 0; chunk < 3; chunk++) response.write(Buffer.alloc(10_000, "x"));
    response.end();
    response.uncork();
  });
  server.on("secureConnection", () => connections++);
  const url = `https://127.0.0.1:${await listen(server)}`;
  const ca = await readFile(files.authority, "utf8");
  const upstream = openUpstream({ url, ca, readTimeout: "3s" }, undefined);
  onTestFinished(() => {
    upstream.close();
    server.close();
  });
  for (let count = 0; count < 4; count++) expect(await readSlowly(upstream)).toBe(30_000);
  expect(connections).toBe(1);
});

test("a sink that accepts no more gets nothing more before it asks, though it holds nothing", async () => {
  const server = createPlainServer((_, response) => void response.end(Buffer.alloc(4 * 2 ** 20, "x")));
  const upstream = openUpstream({ url: `http://127.0.0.1:${await listen(server)}` }, undefined);
  onTestFinished(() => {
    upstream.close();
    server.close();
  });
  let length = 0;
  let unasked = 0;
  let asked = true;
  const whole = new Promise<void>((resolve, reject) => {
    const sink: ResponseSink = {
      head() {},
      chunk(chunk, consumed) {
        length += chunk.length;
        if (!asked) unasked++;
        asked = false;
        consumed?.();
        setTimeout(() => {
          asked = true;
          transfer.resume();
        }, 1);
        return false;
      },
      flush() {},
      end: resolve,
      failed: ({ error }) => reject(error),
    };
    const keys = { route: undefined, connectionKey: "alice", clientKey: "alice" };
    const request = { method: "GET", target: "/", headers: { host: "x" }, body: undefined, ...keys };
    const transfer = upstream.send(request, sink);
  });
  await whole;
  expect([length, unasked]).toEqual([4 * 2 ** 20, 0]);
});
