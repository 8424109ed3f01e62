import { readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type AuthBackend, BackendUnavailableError } from "@registry-gate/auth";
import type { SsoJwtOptions } from "@registry-gate/auth-sso";
import { beforeAll, expect, onTestFinished, test, vi } from "vitest";
import { makeCertificate } from "../../../test/support/certificate.ts";
import { ask, faultsOf, scratchDirectory, until } from "./fixtures.ts";
import {
  bearing,
  type Handler,
  keyServer,
  openJwt,
  type SigningKey,
  secureKeyServer,
  signingKey,
  tokenOf,
} from "./issuer.ts";

let old: SigningKey;
let fresh: SigningKey;
let token: string;
let freshToken: string;

beforeAll(async () => {
  [old, fresh] = await Promise.all([signingKey("old"), signingKey("fresh")]);
  [token, freshToken] = await Promise.all([tokenOf(old), tokenOf(fresh)]);
});

const minutes = 60_000;
const signedIn = { status: "authenticated" };
const unknown = { status: "rejected", reason: "the token is signed with a key that the issuer does not have" };

/** Lets time pass on the clock by which the age of keys is measured. */
function clock(): (milliseconds: number) => void {
  const real = performance.now.bind(performance);
  let ahead = 0;
  const spy = vi.spyOn(performance, "now").mockImplementation(() => real() + ahead);
  onTestFinished(() => spy.mockRestore());
  return (milliseconds) => {
    ahead += milliseconds;
  };
}

async function unavailable(backend: AuthBackend, presented = token): Promise<string> {
  const error: unknown = await bearing(backend, presented).catch((thrown: unknown) => thrown);
  if (!(error instanceof BackendUnavailableError)) throw new Error(`it was available: ${JSON.stringify(error)}`);
  expect(error.backend).toBe("idp");
  return error.message;
}

async function started(options: SsoJwtOptions = {}, ...keys: readonly SigningKey[]) {
  const server = await keyServer(...(keys.length === 0 ? [old] : keys));
  return { server, ...(await openJwt({ jwks: server.url, ...options })) };
}

test("keys are fetched when they are first needed, once for all who wait, and then kept", async () => {
  const { server, backend } = await started();
  expect(server.requests()).toBe(0);
  const results = await Promise.all(Array.from({ length: 20 }, () => bearing(backend, token)));
  for (const result of results) expect(result).toMatchObject(signedIn);
  expect(await bearing(backend, token)).toMatchObject(signedIn);
  expect(server.requests()).toBe(1);
});

test("tokens that can be refused without a key do not make the gate ask for one", async () => {
  const { server, backend } = await started();
  for (const bad of [
    await tokenOf(old, { iss: "https://other.example.com" }),
    await tokenOf(old, {}, { typ: "logout+jwt" }),
  ]) {
    expect(await bearing(backend, bad)).toMatchObject({ status: "rejected" });
  }
  expect(server.requests()).toBe(0);
});

test("rotated keys are found at once, and those taken away cease to count", async () => {
  const wait = clock();
  const { server, backend, lines } = await started();
  let changes = 0;
  backend.onChange?.(() => changes++);
  expect(await bearing(backend, token)).toMatchObject(signedIn);
  server.publish(fresh);
  wait(minutes);
  expect(await bearing(backend, freshToken)).toMatchObject(signedIn);
  expect(await bearing(backend, token)).toEqual(unknown);
  expect(changes).toBe(1);
  expect(lines).toMatchObject([{ level: "info", message: "the issuer has published new keys" }]);
});

test("a key that was taken away ceases to count when the kept ones are too old, without any new key in use", async () => {
  const wait = clock();
  const { server, backend } = await started();
  expect(await bearing(backend, token)).toMatchObject(signedIn);
  server.publish(fresh);
  wait(9 * minutes);
  expect(await bearing(backend, token)).toMatchObject(signedIn);
  wait(minutes);
  expect(await bearing(backend, token)).toEqual(unknown);
});

test("unknown keys make the gate ask again at most once in each cool-down", async () => {
  const wait = clock();
  const { server, backend } = await started();
  await bearing(backend, token);
  for (let round = 1; round <= 3; round++) {
    wait(minutes);
    const forged = Array.from({ length: 30 }, (_, n) => tokenOf(fresh, {}, { kid: `made-up-${n}` }));
    for (const result of await Promise.all(forged.map(async (made) => bearing(backend, await made)))) {
      expect(result).toEqual(unknown);
    }
    expect(server.requests()).toBe(1 + round);
  }
});

test("in an outage the last good keys stay in force for a bounded time, without anybody waiting", async () => {
  const wait = clock();
  const { server, backend, lines } = await started({ jwksMaxAge: "10m", jwksKeepFor: "1h" });
  await bearing(backend, token);
  await server.stop();
  for (let round = 0; round < 5; round++) {
    wait(11 * minutes);
    expect(await bearing(backend, token)).toMatchObject(signedIn);
  }
  await backend.check?.(new AbortController().signal);
  expect(lines).toMatchObject([{ level: "warn", message: expect.stringContaining("using the previous ones") }]);

  wait(6 * minutes);
  expect(await unavailable(backend)).toContain("cannot be reached (ECONNREFUSED)");
  await expect(backend.check?.(new AbortController().signal)).rejects.toBeInstanceOf(BackendUnavailableError);

  await server.start();
  wait(minutes);
  expect(await bearing(backend, token)).toMatchObject(signedIn);
});

test("in an outage a key that may be new is a question that cannot be answered", async () => {
  const wait = clock();
  const { server, backend } = await started();
  await bearing(backend, token);
  await server.stop();
  wait(minutes);
  await unavailable(backend, freshToken);
  expect(await bearing(backend, token)).toMatchObject(signedIn);
  server.publish(old, fresh);
  await server.start();
  wait(minutes);
  expect(await bearing(backend, freshToken)).toMatchObject(signedIn);
});

test("without any keys it is unavailable, asks again soon, and recovers", async () => {
  const wait = clock();
  const { server, backend } = await started();
  await server.stop();
  await unavailable(backend);
  await unavailable(backend);
  expect(await bearing(backend, "opaque")).toEqual({ status: "abstained" });
  await server.start();
  wait(5000);
  expect(await bearing(backend, token)).toMatchObject(signedIn);
});

test.each<[string, Handler, string]>([
  ["an error", (_, response) => void response.writeHead(500).end(), "answered 500"],
  [
    "a redirect",
    (request, response) => void response.writeHead(302, { location: `${request.url}/elsewhere` }).end(),
    "answered 302",
  ],
  ["a page", (_, response) => void response.end("<html>"), "it is not a JSON Web Key Set"],
  ["another object", (_, response) => void response.end('{"keys":{}}'), "it is not a JSON Web Key Set"],
  ["no keys", (_, response) => void response.end('{"keys":[]}'), "it contains no key"],
  [
    "a secret key",
    (_, response) => void response.end('{"keys":[{"kty":"oct","k":"AAAA"}]}'),
    "it contains a private or secret key; only public keys belong there",
  ],
  [
    "far too much",
    (_, response) => {
      response.on("error", () => {});
      response.write(`{"keys":[${" ".repeat(1024 * 1024)}`);
    },
    "answered with more than 524288 bytes",
  ],
  [
    "half an answer",
    (_, response) => void response.writeHead(200, { "content-length": 9 }).end("{"),
    "reached (ECONNRESET)",
  ],
  [
    "another protocol",
    ({ socket }) => void socket.end("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"),
    "switched protocols",
  ],
  ["silence", () => {}, "did not respond within 200 ms"],
  ["an endless answer", (_, response) => void response.write("{"), "did not respond within 200 ms"],
])("a server of keys that gives %s makes it unavailable", async (_, handler, reason) => {
  const { server, backend } = await started({ jwksTimeout: "200ms" });
  server.answer(handler);
  expect(await unavailable(backend)).toContain(reason);
  expect(server.requests()).toBe(1);
});

test("a server of keys that begins to talk nonsense does not take the good keys away", async () => {
  const wait = clock();
  const { server, backend } = await started();
  await bearing(backend, token);
  server.answer((_, response) => void response.end('{"keys":[]}'));
  wait(15 * minutes);
  expect(await bearing(backend, token)).toMatchObject(signedIn);
});

test("an abort ends one wait, and the other callers get their result", async () => {
  const { server, backend } = await started();
  let answer: (() => void) | undefined;
  server.answer((_, response) => {
    answer = () => response.end(JSON.stringify({ keys: [old.jwk] }));
  });
  const impatient = new AbortController();
  const gone = ask(backend, { credentials: { scheme: "bearer", token }, signal: impatient.signal });
  const patient = bearing(backend, token);
  await until(() => expect(answer).toBeDefined());
  impatient.abort();
  await expect(gone).rejects.toBeInstanceOf(BackendUnavailableError);
  answer?.();
  expect(await patient).toMatchObject(signedIn);
  await expect(
    ask(backend, { credentials: { scheme: "bearer", token: freshToken }, signal: AbortSignal.abort() }),
  ).resolves.toEqual(unknown);
});

test("closing ends what is under way, and closing again does nothing", async () => {
  const { server, backend } = await started({ jwksTimeout: "60s" });
  server.answer(() => {});
  const waiting = unavailable(backend);
  await until(() => expect(server.requests()).toBe(1));
  await backend.close?.();
  expect(await waiting).toContain("cannot be reached");
  await backend.close?.();
});

async function keyFile(
  ...keys: readonly SigningKey[]
): Promise<{ directory: string; write: (text: string) => Promise<void> }> {
  const directory = await scratchDirectory();
  const write = async (text: string): Promise<void> => {
    await writeFile(join(directory, "new"), text);
    await rename(join(directory, "new"), join(directory, "jwks.json"));
  };
  await write(JSON.stringify({ keys: keys.map(({ jwk }) => jwk) }));
  return { directory, write };
}

test("follows keys in a file, ignores an invalid file and keeps the previous keys", async () => {
  const { directory, write } = await keyFile(old);
  const { backend, lines } = await openJwt({ jwks: "jwks.json" }, directory);
  let changes = 0;
  backend.onChange?.(() => changes++);
  expect(await bearing(backend, token)).toMatchObject(signedIn);
  expect(await bearing(backend, freshToken)).toEqual(unknown);
  await backend.check?.(new AbortController().signal);

  await write(JSON.stringify({ keys: [fresh.jwk] }));
  await until(async () => expect(await bearing(backend, freshToken)).toMatchObject(signedIn));
  expect(await bearing(backend, token)).toEqual(unknown);
  expect(changes).toBe(1);

  await write("{");
  await until(() => expect(lines.some(({ level }) => level === "error")).toBe(true));
  await rm(join(directory, "jwks.json"));
  await until(() => expect(lines.filter(({ level }) => level === "error")).toHaveLength(2));
  expect(await bearing(backend, freshToken)).toMatchObject(signedIn);
});

test("a file that holds no public keys is a fault of its option", async () => {
  const { directory, write } = await keyFile();
  const faults = () => faultsOf(() => openJwt({ jwks: "jwks.json" }, directory));
  const file = join(directory, "jwks.json");
  expect(await faults()).toEqual([{ path: ["jwks"], message: `it contains no key: ${file}` }]);
  await write(JSON.stringify({ keys: [{ ...old.jwk, d: "canary" }] }));
  expect(await faults()).toEqual([
    { path: ["jwks"], message: `it contains a private or secret key; only public keys belong there: ${file}` },
  ]);
  await rm(file);
  expect(await faults()).toEqual([{ path: ["jwks"], message: `no such file: ${file}` }]);
});

test("keys are fetched over TLS from a server whose certificate the given authority vouches for, and no other", async () => {
  const directory = await scratchDirectory();
  const { certificate, key } = await makeCertificate(directory);
  const server = await secureKeyServer({ cert: await readFile(certificate), key: await readFile(key) }, old);
  const { backend } = await openJwt({ jwks: server.url, caCert: "authority.crt" }, directory);
  expect(await bearing(backend, token)).toMatchObject(signedIn);
  const { backend: suspicious } = await openJwt({ jwks: server.url }, directory);
  expect(await unavailable(suspicious)).toContain("cannot be reached (UNABLE_TO_VERIFY_LEAF_SIGNATURE)");
  expect(await faultsOf(() => openJwt({ jwks: server.url, caCert: "server.key" }, directory))).toEqual([
    { path: ["caCert"], message: `it contains no certificate in PEM: ${join(directory, "server.key")}` },
  ]);
});
