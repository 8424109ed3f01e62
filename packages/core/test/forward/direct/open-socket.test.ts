import { readFile } from "node:fs/promises";
import { createServer, type Server, type Socket } from "node:net";
import { createServer as createSecureServer } from "node:tls";
import { expect, onTestFinished, test } from "vitest";
import { makeCertificate } from "../../../../../test/support/certificate.ts";
import { listen } from "../../../../../test/support/listen.ts";
import { socketOpener } from "../../../src/forward/direct/open-socket.ts";

/** Reads until the registry has closed the connection. @returns the error, if any. */
async function readAll(socket: Socket): Promise<string | undefined> {
  let error: string | undefined;
  socket.once("error", (reason: Error) => {
    error = reason.message;
  });
  await new Promise((resolve) => socket.once("close", resolve));
  return error;
}

const onread = { buffer: Buffer.alloc(65_536), callback: () => true };

function closeLater(server: Server): void {
  onTestFinished(() => void server.close());
}

test("resumes the session of an accepted registry, and speaks HTTP/1.1", async () => {
  const files = await makeCertificate();
  const [key, cert] = [await readFile(files.key), await readFile(files.certificate)];
  const seen: unknown[] = [];
  const server = createSecureServer({ key, cert, ALPNProtocols: ["h2", "http/1.1"] }, (socket) => {
    seen.push([socket.isSessionReused(), socket.alpnProtocol]);
    socket.on("error", () => {});
    socket.end("response");
  });
  closeLater(server);
  const port = await listen(server);
  const ca = await readFile(files.authority, "utf8");
  const open = socketOpener({ host: "127.0.0.1", port, secure: true, ca });
  for (let count = 0; count < 2; count++) expect(await readAll(open(onread))).toBeUndefined();
  expect(seen).toEqual([
    [false, "http/1.1"],
    [true, "http/1.1"],
  ]);
});

test.each(["TLSv1.2", "TLSv1.3"] as const)(
  "never resumes the session of a registry with a certificate for another name, with %s",
  async (version) => {
    const files = await makeCertificate();
    const [key, cert] = [await readFile(files.key), await readFile(files.certificate)];
    const server = createSecureServer({ key, cert, minVersion: version, maxVersion: version }, (socket) => {
      socket.on("error", () => {});
      socket.end("response");
    });
    closeLater(server);
    const port = await listen(server);
    const ca = await readFile(files.authority, "utf8");
    // Of the loopback addresses the certificate bears one.
    const open = socketOpener({ host: "127.0.0.2", port: await forward(port), secure: true, ca });
    for (let count = 0; count < 4; count++) expect(await readAll(open(onread))).toContain("does not match");
  },
);

/** A port of 127.0.0.2 that leads to one of 127.0.0.1. */
async function forward(port: number): Promise<number> {
  const { connect } = await import("node:net");
  const server = createServer((socket) => {
    const other = connect(port, "127.0.0.1");
    socket.on("error", () => other.destroy());
    other.on("error", () => socket.destroy());
    socket.pipe(other).pipe(socket);
  });
  closeLater(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.2", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new TypeError("not listening on a port");
  return address.port;
}
