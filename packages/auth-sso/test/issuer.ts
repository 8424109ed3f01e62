import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createSecureServer } from "node:https";
import type { AddressInfo } from "node:net";
import type { AuthBackend, AuthResult } from "@registry-gate/auth";
import { type SsoJwtOptions, ssoJwtBackend } from "@registry-gate/auth-sso";
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, SignJWT } from "jose";
import { onTestFinished } from "vitest";
import { type LogEntry, recordingLog } from "../../../test/support/recording-log.ts";
import { ask } from "./fixtures.ts";

/** A key pair of an issuer. */
export interface SigningKey {
  readonly alg: string;
  readonly kid: string;
  readonly privateKey: CryptoKey;
  readonly publicKey: CryptoKey;
  readonly jwk: JWK;
}

export async function signingKey(kid: string, alg = "ES256"): Promise<SigningKey> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  return { alg, kid, privateKey, publicKey, jwk: { ...(await exportJWK(publicKey)), kid, alg, use: "sig" } };
}

export const now = (): number => Math.floor(Date.now() / 1000);

/** What a good token claims. */
export const goodClaims = (): Record<string, unknown> => ({
  iss: "https://idp.example.com",
  aud: "registry",
  sub: "user-1",
  preferred_username: "alice",
  iat: now(),
  exp: now() + 300,
});

/** A token with the good claims, except for those given; `undefined` takes one away. */
export function tokenOf(
  key: SigningKey,
  claims: Readonly<Record<string, unknown>> = {},
  header: Readonly<Record<string, unknown>> = {},
): Promise<string> {
  return new SignJWT(without({ ...goodClaims(), ...claims }))
    .setProtectedHeader({ alg: key.alg, ...without({ kid: key.kid, ...header }) })
    .sign(key.privateKey);
}

function without(record: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined));
}

export type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/** An issuer's server of keys on the loopback interface. */
export interface KeyServer {
  readonly url: string;
  /** How many requests there were. */
  readonly requests: () => number;
  /** From now on these keys are published. */
  publish(...keys: readonly SigningKey[]): void;
  /** From now on requests are answered like this. */
  answer(handler: Handler): void;
  stop(): Promise<void>;
  start(): Promise<void>;
}

export function keyServer(...keys: readonly SigningKey[]): Promise<KeyServer> {
  return serveKeys("http", createServer(), keys);
}

/** The same over TLS, with a certificate and its key as PEM. */
export function secureKeyServer(identity: { cert: Buffer; key: Buffer }, key: SigningKey): Promise<KeyServer> {
  return serveKeys("https", createSecureServer(identity), [key]);
}

async function serveKeys(scheme: string, server: Server, keys: readonly SigningKey[]): Promise<KeyServer> {
  let handler: Handler;
  let requests = 0;
  const publish = (...published: readonly SigningKey[]): void => {
    handler = (_, response) => void response.end(JSON.stringify({ keys: published.map(({ jwk }) => jwk) }));
  };
  publish(...keys);
  server.on("request", (request: IncomingMessage, response: ServerResponse) => {
    requests++;
    handler(request, response);
  });
  const listen = (port: number): Promise<void> =>
    new Promise((resolve) => server.listen(port, "127.0.0.1", () => resolve()));
  const stop = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  await listen(0);
  const { port } = server.address() as AddressInfo;
  onTestFinished(() => (server.listening ? stop() : undefined));
  return {
    url: `${scheme}://127.0.0.1:${port}/jwks`,
    requests: () => requests,
    publish,
    answer(next) {
      handler = next;
    },
    stop,
    start: () => listen(port),
  };
}

export interface Opened {
  readonly backend: AuthBackend;
  readonly lines: readonly LogEntry[];
}

/** A backend for the tokens of the example issuer, closed after the test. */
export async function openJwt(options: SsoJwtOptions, baseDirectory = "/"): Promise<Opened> {
  const { log, lines } = recordingLog();
  const backend = await ssoJwtBackend(
    {
      issuer: "https://idp.example.com",
      audience: "registry",
      usernameClaim: "preferred_username",
      header: "X-Assertion",
      ...options,
    },
    { id: "idp", baseDirectory, log },
  );
  onTestFinished(() => backend.close?.());
  return { backend, lines };
}

export const asserting = (backend: AuthBackend, token: string | readonly string[]): Promise<AuthResult> =>
  ask(backend, { headers: { "X-Assertion": token } });

export const bearing = (backend: AuthBackend, token: string): Promise<AuthResult> =>
  ask(backend, { credentials: { scheme: "bearer", token } });

export const loggingIn = (backend: AuthBackend, username: string, password: string): Promise<AuthResult> =>
  ask(backend, { credentials: { scheme: "basic", username, password } });
