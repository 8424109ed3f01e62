import { readFile } from "node:fs/promises";
import type { RequestListener } from "node:http";
import { createServer } from "node:https";
import { beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { type CertificateFiles, makeCertificate } from "../../../../test/support/certificate.ts";
import { listen } from "../../../../test/support/listen.ts";
import { errorCode, send } from "./client.ts";
import { alice, connectRaw, startGate } from "./servers.ts";

let files: CertificateFiles;
let authority: string;

beforeAll(async () => {
  files = await makeCertificate();
  authority = await readFile(files.authority, "utf8");
});

/** A registry that is reached by TLS; how many connections it has had is counted. */
async function startSecureUpstream(respond: RequestListener) {
  const [key, cert] = [await readFile(files.key), await readFile(files.certificate)];
  const server = createServer({ key, cert, keepAliveTimeout: 60_000 }, respond);
  let connections = 0;
  server.on("secureConnection", () => connections++);
  const url = `https://127.0.0.1:${await listen(server)}`;
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return { url, connections: () => connections };
}

describe("a registry that is reached by TLS", () => {
  test("is trusted with the configured CA, and with no other", async () => {
    const upstream = await startSecureUpstream((_, response) => response.end("a body"));
    const gate = await startGate({ upstream: { url: upstream.url, ca: authority } });
    expect(await send(gate.port, { path: "/v2/" })).toMatchObject({ status: 200, body: "a body" });
    const stranger = await startGate({ upstream: { url: upstream.url } });
    const response = await send(stranger.port, { path: "/v2/" });
    expect([response.status, errorCode(response)]).toEqual([502, "UNAVAILABLE"]);
    expect(upstream.connections()).toBe(1);
  });

  test("serves all reads on one connection, and reconnects when it is closed", async () => {
    let closeNext = false;
    const upstream = await startSecureUpstream((request, response) => {
      if (closeNext) request.socket.destroy();
      else response.setHeader("content-length", 6).end("a body");
      closeNext = false;
    });
    const gate = await startGate({ upstream: { url: upstream.url, ca: authority } });
    for (const method of ["GET", "HEAD", "GET", "HEAD"]) {
      const response = await send(gate.port, { method, path: "/v2/" });
      expect([response.status, response.headers["content-length"], response.body]).toEqual([
        200,
        "6",
        method === "GET" ? "a body" : "",
      ]);
    }
    expect(upstream.connections()).toBe(1);
    for (let count = 0; count < 10; count++) {
      closeNext = count % 2 === 0;
      expect((await send(gate.port, { path: "/v2/" })).status).toBe(200);
    }
  });

  test("must have a certificate for the host of the URL, whatever the client's Host", async () => {
    const upstream = await startSecureUpstream((request, response) => response.end(request.headers.host));
    const gate = await startGate({ upstream: { url: upstream.url, ca: authority } });
    for (const host of ["registry.example.com", "localhost", "evil.example", "127.0.0.1:5000"]) {
      const response = await send(gate.port, { path: "/v2/", headers: { host } });
      expect([response.status, response.body]).toEqual([200, host]);
    }
    const { port } = new URL(upstream.url);
    const named = await startGate({ upstream: { url: `https://localhost:${port}`, ca: authority } });
    expect((await send(named.port, { path: "/v2/", headers: { host: "a.example" } })).status).toBe(200);
    // Of the loopback addresses the certificate bears one.
    const other = await startGate({ upstream: { url: `https://127.0.0.2:${port}`, ca: authority } });
    expect((await send(other.port, { path: "/v2/", headers: { host: "localhost" } })).status).toBe(502);
  });

  test("does not time out while the client does not read", async () => {
    const size = 20_000_000;
    const upstream = await startSecureUpstream((_, response) => void response.end("x".repeat(size)));
    const gate = await startGate({ upstream: { url: upstream.url, ca: authority, readTimeout: 800 } });
    const client = await connectRaw(gate.port);
    client.socket.pause();
    client.write(`GET /v2/ HTTP/1.1\r\nHost: x\r\nAuthorization: ${alice}\r\nConnection: close\r\n\r\n`);
    await new Promise((resolve) => setTimeout(resolve, 2500));
    client.socket.resume();
    expect((await client.ended()).match(/x{1000}/g)).toHaveLength(size / 1000);
  });

  test("times out with 504", async () => {
    const upstream = await startSecureUpstream(() => {});
    const gate = await startGate({ upstream: { url: upstream.url, ca: authority, readTimeout: 150 } });
    expect((await send(gate.port, { path: "/v2/" })).status).toBe(504);
  });

  test("that truncates a body truncates it for the client too", async () => {
    const upstream = await startSecureUpstream((request, response) => {
      response.writeHead(200, { "content-length": 100 }).write("beginning", () => request.socket.destroy());
    });
    const gate = await startGate({ upstream: { url: upstream.url, ca: authority } });
    await expect(send(gate.port, { path: "/v2/" })).rejects.toThrow(/aborted|hang up/);
    await expect.poll(() => gate.records.length).toBe(1);
  });
});
