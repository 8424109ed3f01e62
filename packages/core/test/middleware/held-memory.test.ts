import { readFile } from "node:fs/promises";
import { createServer, type RequestListener, type Server } from "node:http";
import { createServer as createSecureServer, type Server as SecureServer } from "node:https";
import { connect, type Socket } from "node:net";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, onTestFinished, test } from "vitest";
import { makeCertificate } from "../../../../test/support/certificate.ts";
import { listen } from "../../../../test/support/listen.ts";
import { alice, startGate } from "./servers.ts";

setFlagsFromString("--expose-gc");
const collect: unknown = runInNewContext("gc");

const blob = `/v2/team/app/blobs/sha256:${"0".repeat(64)}`;
const kibibyte = 1024;
/** All large buffers of a gate together. */
const largeBuffers = 12 * kibibyte ** 2;
const chunk = Buffer.alloc(64 * kibibyte, "x");
let sent = 0;

/** Sends a blob without an end, of the same bytes again and again. */
const sendForever: RequestListener = (_, response) => {
  response.writeHead(200, { "content-length": String(2 ** 40) });
  const write = (): void => {
    do sent += chunk.length;
    while (response.write(chunk));
    response.once("drain", write);
  };
  write();
};

async function serve(server: Server | SecureServer): Promise<number> {
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return listen(server);
}

/** The memory of all buffers of this process that are still in use, in bytes. */
function heldMemory(): number {
  if (typeof collect === "function") collect();
  return process.memoryUsage().arrayBuffers;
}

test.each([
  { registry: "plain HTTP", secure: false, readers: 100, each: 10 * kibibyte },
  // Up to 64 KiB are decrypted though reading has stopped.
  { registry: "TLS", secure: true, readers: 50, each: 74 * kibibyte },
])(
  "clients that stop reading hold little memory, before a registry with $registry",
  async ({ secure, readers, each }) => {
    const files = await makeCertificate();
    const registry = secure
      ? createSecureServer({ key: await readFile(files.key), cert: await readFile(files.certificate) }, sendForever)
      : createServer(sendForever);
    const url = `${secure ? "https" : "http"}://127.0.0.1:${await serve(registry)}`;
    const gate = await startGate({
      upstream: { url, ca: await readFile(files.authority, "utf8"), transport: "direct" },
      limits: { inFlightPerClient: 2 * readers },
      access: [{ subjects: ["authenticated"], repositories: ["**"], actions: ["*"] }],
    });
    const before = heldMemory();
    sent = 0;
    const clients = Array.from({ length: readers }, (): Socket => {
      const client = connect({ port: gate.port, host: "127.0.0.1" });
      client.on("error", () => {});
      client.write(`GET ${blob} HTTP/1.1\r\nHost: x\r\nAuthorization: ${alice}\r\n\r\n`);
      return client.pause();
    });
    onTestFinished(() => {
      for (const client of clients) client.destroy();
    });
    // Everything that fits anywhere is on its way, when nothing more is sent for a while.
    let last = 0;
    const isStill = (): boolean => {
      const earlier = last;
      last = sent;
      return last > 0 && last === earlier;
    };
    await expect.poll(isStill, { interval: 500, timeout: 30_000 }).toBe(true);
    expect(heldMemory() - before).toBeLessThan(largeBuffers + readers * each);
  },
);
