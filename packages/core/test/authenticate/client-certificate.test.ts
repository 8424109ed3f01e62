import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer, type Server, request as send } from "node:https";
import type { AuthRequest, AuthResult, Peer } from "@registry-gate/auth";
import { afterAll, beforeAll, expect, test } from "vitest";
import { makeCertificate } from "../../../../test/support/certificate.ts";
import { createAuthenticator } from "../../src/authenticate/create-authenticator.ts";

interface Party {
  readonly key: Buffer;
  readonly cert: Buffer;
  /** The certificate of the authority that signed `cert`. */
  readonly ca: Buffer;
}

/** Keeps the peer of whom it was asked about. */
const seen: Peer[] = [];
const users = {
  id: "users",
  async authenticate({ peer }: AuthRequest): Promise<AuthResult> {
    seen.push(peer);
    return { status: "abstained" };
  },
};
const { authenticate } = createAuthenticator({ backends: [users], loginCache: false });

let server: Server;
let known: Party;
let foreign: Party;

async function party(): Promise<Party> {
  const files = await makeCertificate();
  const [key, cert, ca] = await Promise.all(
    [files.key, files.certificate, files.authority].map((file) => readFile(file)),
  );
  if (key === undefined || cert === undefined || ca === undefined) throw new Error("no certificate was made");
  return { key, cert, ca };
}

/** What a backend is told of a client that shows these. */
async function peerOf(shown: Pick<Party, "key" | "cert"> | undefined): Promise<Peer | undefined> {
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("not listening on a port");
  const outgoing = send({
    host: "127.0.0.1",
    port: address.port,
    agent: false,
    key: shown?.key,
    cert: shown?.cert,
    ca: known.ca,
  });
  const responded = once(outgoing, "response");
  outgoing.end();
  const [response] = await responded;
  response.resume();
  await once(response, "end");
  return seen.pop();
}

beforeAll(async () => {
  [known, foreign] = await Promise.all([party(), party()]);
  server = createServer({ ...known, requestCert: true, rejectUnauthorized: false }, async (request, response) => {
    await authenticate(request, () => new AbortController().signal);
    response.end();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
});
afterAll(() => {
  server?.close();
  server?.closeAllConnections();
});

test("backends see the fingerprint of a client certificate that a trusted CA signed", async () => {
  const { fingerprint256 } = new X509Certificate(known.cert);
  expect(await peerOf(known)).toEqual({
    address: "127.0.0.1",
    unixSocket: false,
    certificateFingerprint: fingerprint256,
  });
});

test("backends see no fingerprint of a missing certificate, or one of an unknown CA", async () => {
  expect(await peerOf(foreign)).toEqual({ address: "127.0.0.1", unixSocket: false });
  expect(await peerOf(undefined)).toEqual({ address: "127.0.0.1", unixSocket: false });
});
