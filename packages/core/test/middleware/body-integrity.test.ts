import { createHash } from "node:crypto";
import { once } from "node:events";
import { request as httpRequest, type IncomingMessage, type ServerResponse } from "node:http";
import { describe, expect, test } from "vitest";
import { alice, startGate, startUpstream } from "./servers.ts";

const mebibyte = 2 ** 20;
const size = 24 * mebibyte;

/** The body of a repository: no two chunks of it are alike, nor like any of another. */
function* bodyOf(repository: string, length = mebibyte): Generator<Buffer> {
  for (let sent = 0; sent < size; sent += length) {
    const seed = createHash("sha256").update(`${repository}${sent}`).digest();
    const chunk = Buffer.alloc(Math.min(length, size - sent), seed);
    for (let at = 0; at + 4 <= chunk.length; at += 64) chunk.writeUInt32BE(at, at);
    yield chunk;
  }
}

function digestOf(chunks: Iterable<Buffer>): string {
  const hash = createHash("sha256");
  for (const chunk of chunks) hash.update(chunk);
  return hash.digest("hex");
}

/** @param length Of a chunk. Each is on its way before the next is written. */
async function startBodies(headers: Record<string, string | number>, length?: number): Promise<number> {
  return await startUpstream(async (request, response) => {
    const repository = request.url?.split("/")[2] ?? "";
    response.writeHead(200, headers);
    for (const chunk of bodyOf(repository, length)) {
      if (!response.write(chunk)) await once(response, "drain");
      await new Promise((resolve) => setImmediate(resolve));
    }
    response.end();
  });
}

/** Downloads and hashes, and rests for a moment after every so many bytes. */
function download(port: number, repository: string, restAfter: number): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const path = `/v2/${repository}/blobs/sha256:${"0".repeat(64)}`;
  const options = { host: "127.0.0.1", port, path, agent: false, headers: { authorization: alice } };
  const request = httpRequest(options, (response: IncomingMessage) => {
    const hash = createHash("sha256");
    let sinceRest = 0;
    response.on("data", (chunk: Buffer) => {
      hash.update(chunk);
      sinceRest += chunk.length;
      if (sinceRest < restAfter) return;
      sinceRest = 0;
      response.pause();
      setTimeout(() => response.resume(), 3);
    });
    response.once("error", reject);
    response.once("end", () => resolve(hash.digest("hex")));
  });
  request.once("error", reject);
  request.end();
  return promise;
}

describe("every byte of a body arrives in order, however fast other clients read", () => {
  test.each<[name: string, headers: Record<string, string | number>]>([
    ["of known length", { "content-length": size }],
    ["in chunks", {}],
  ])("%s", async (_, headers) => {
    const gate = await startGate({ upstream: await startBodies(headers) });
    const speeds = [Number.POSITIVE_INFINITY, 4 * mebibyte, mebibyte, mebibyte / 2];
    for (const round of ["a", "b"]) {
      const names = speeds.map((_, index) => `${round}${index}`);
      const digests = await Promise.all(speeds.map((speed, index) => download(gate.port, names[index] ?? "", speed)));
      expect(digests).toEqual(names.map((name) => digestOf(bodyOf(name))));
    }
    expect(gate.records.every(({ bytesSent }) => bytesSent === size)).toBe(true);
  });

  test("with a client that falls behind by less than the buffer", async () => {
    const length = 24_000;
    const gate = await startGate({ upstream: await startBodies({ "content-length": size }, length) });
    const names = ["a", "b", "c"];
    const digests = await Promise.all(names.map((name) => download(gate.port, name, 128 * 1024)));
    expect(digests).toEqual(names.map((name) => digestOf(bodyOf(name, length))));
  });

  test("through a middleware that buffers chunks and never calls back", async () => {
    const upstream = await startBodies({ "content-length": size });
    const gate = await startGate({
      upstream,
      mount: (proxy) => (request: IncomingMessage, response: ServerResponse) => {
        const { write } = response;
        Object.assign(response, { write: (chunk: Buffer): boolean => write.call(response, chunk, "utf8") });
        proxy(request, response);
      },
    });
    const names = ["a", "b"];
    const digests = await Promise.all(names.map((name) => download(gate.port, name, mebibyte)));
    expect(digests).toEqual(names.map((name) => digestOf(bodyOf(name))));
  });
});
