import { copyFile, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type ConnectionOptions, connect, type TLSSocket } from "node:tls";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { basic } from "../support/basic.ts";
import { type CertificateFiles, makeCertificate } from "../support/certificate.ts";
import { type RunningGate, startGate } from "../support/gate.ts";
import { passwordFile } from "../support/password-file.ts";
import { type ScriptedUpstream, startUpstream } from "../support/upstream.ts";

let upstream: ScriptedUpstream;
let gate: RunningGate;
let certificates: CertificateFiles;

beforeAll(async () => {
  upstream = await startUpstream((_, response) => response.end("{}"));
  certificates = await makeCertificate();
  gate = await startGate({
    configuration: {
      listen: { address: "127.0.0.1:0", tls: { certificate: "server.crt", key: "server.key" } },
      upstream: { url: upstream.url },
      auth: { backends: [{ type: "htpasswd", file: "htpasswd" }] },
    },
    files: {
      htpasswd: await passwordFile({ alice: "alice-password" }),
      "server.crt": await readFile(certificates.certificate, "utf8"),
      "server.key": await readFile(certificates.key, "utf8"),
    },
  });
});

afterAll(async () => {
  await gate.close();
  await upstream.close();
});

interface Visit {
  readonly protocol: string | null;
  readonly resumed: boolean;
  readonly fingerprint: string;
  readonly response: string;
  readonly session: Buffer | undefined;
}

/** Pings the gate on a connection of its own. */
async function visit(options: ConnectionOptions = {}, url = gate.url): Promise<Visit> {
  const { hostname: host, port } = new URL(url);
  const ca = await readFile(certificates.authority);
  const socket = connect({ host, port: Number(port), ca, servername: "localhost", ...options });
  // In TLS 1.3 the ticket for the next connection comes after the handshake, with the first response at the latest.
  let session: Buffer | undefined;
  socket.on("session", (ticket: Buffer) => {
    session = ticket;
  });
  try {
    const response = await request(socket);
    return {
      protocol: socket.getProtocol(),
      resumed: socket.isSessionReused(),
      fingerprint: socket.getPeerCertificate().fingerprint256,
      response,
      session: session ?? socket.getSession(),
    };
  } finally {
    socket.destroy();
  }
}

function request(socket: TLSSocket): Promise<string> {
  const { authorization } = basic("alice", "alice-password");
  return new Promise((resolve, reject) => {
    let response = "";
    socket.once("secureConnect", () => {
      socket.write(`GET /v2/ HTTP/1.1\r\nHost: localhost\r\nAuthorization: ${authorization}\r\n\r\n`);
    });
    socket.on("data", (chunk: Buffer) => {
      response += chunk.toString();
      if (response.includes("\r\n\r\n")) resolve(response);
    });
    socket.once("error", reject);
    socket.once("close", () => reject(new Error("closed without an response")));
  });
}

test("serves TLS 1.2 and 1.3 with the configured certificate", async () => {
  for (const protocol of ["TLSv1.2", "TLSv1.3"] as const) {
    const seen = await visit({ minVersion: protocol, maxVersion: protocol });
    expect(seen.protocol).toBe(protocol);
    expect(seen.response).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
  }
});

test("refuses TLS 1.1", async () => {
  const old = visit({ minVersion: "TLSv1.1", maxVersion: "TLSv1.1", ciphers: "DEFAULT@SECLEVEL=0" });
  await expect(old).rejects.toThrow(/protocol version|unsupported protocol/i);
});

test("TLS 1.1 is refused with ciphers of the operator's own that it could use, too", async () => {
  const ciphers = "DEFAULT@SECLEVEL=0";
  const other = await startGate({
    configuration: {
      listen: { address: "127.0.0.1:0", tls: { certificate: "server.crt", key: "server.key", ciphers } },
      upstream: { url: upstream.url },
      auth: { backends: [{ type: "htpasswd", file: "htpasswd" }] },
    },
    files: {
      htpasswd: await passwordFile({ alice: "alice-password" }),
      "server.crt": await readFile(certificates.certificate, "utf8"),
      "server.key": await readFile(certificates.key, "utf8"),
    },
  });
  onTestFinished(() => other.close());
  const suite = { ciphers: "ECDHE-ECDSA-AES128-SHA:ECDHE-RSA-AES128-SHA:@SECLEVEL=0" };
  const seen = await visit({ ...suite, minVersion: "TLSv1.2", maxVersion: "TLSv1.2" }, other.url);
  expect(seen.protocol).toBe("TLSv1.2");
  const old = visit({ ...suite, minVersion: "TLSv1.1", maxVersion: "TLSv1.1" }, other.url);
  await expect(old).rejects.toThrow(/protocol version|unsupported protocol/i);
});

test.each(["TLSv1.2", "TLSv1.3"] as const)("a %s session is resumed", async (protocol) => {
  const versions = { minVersion: protocol, maxVersion: protocol };
  const first = await visit(versions);
  expect(first.resumed).toBe(false);
  const second = await visit({ ...versions, session: first.session });
  expect(second.resumed).toBe(true);
  expect(second.response).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
});

test("a new certificate is picked up without a restart, a half-written one is not, and sessions go on", async () => {
  const before = await visit();
  const old = await readFile(certificates.certificate, "utf8");
  const next = await makeCertificate();

  // In place, the certificate before its key: a while they do not belong together.
  await writeFile(join(gate.directory, "server.crt"), (await readFile(next.certificate, "utf8")).slice(0, 200));
  await gate.logged(({ event }) => event === "certificate refused");
  expect((await visit()).fingerprint).toBe(before.fingerprint);

  await copyFile(next.certificate, join(gate.directory, "server.crt"));
  await copyFile(next.key, join(gate.directory, "server.key"));
  await gate.logged(({ event }) => event === "certificate reloaded");
  certificates = next;
  const after = await visit();
  expect(after.fingerprint).not.toBe(before.fingerprint);
  expect(await readFile(certificates.certificate, "utf8")).not.toBe(old);

  const resumed = await visit({ session: before.session });
  expect(resumed.resumed).toBe(true);
});
