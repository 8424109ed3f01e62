import { once } from "node:events";
import { createServer } from "node:http";
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, type JWTHeaderParameters, SignJWT } from "jose";
import { listen } from "../support/listen.ts";

/** A key pair for signing. */
export interface SigningKey {
  readonly jwk: JWK & { readonly kid: string; readonly alg: string };
  readonly privateKey: CryptoKey;
  readonly publicKey: CryptoKey;
}

export async function newKey(kid: string, alg = "RS256"): Promise<SigningKey> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  return { privateKey, publicKey, jwk: { ...(await exportJWK(publicKey)), kid, alg, use: "sig" } };
}

export const issuerName = "https://idp.example.com";

export const seconds = (): number => Math.floor(Date.now() / 1000);

/** Signs a token that is good but for the claims and header parameters given; `undefined` takes one away. */
export function sign(
  { jwk, privateKey }: SigningKey,
  claims: Readonly<Record<string, unknown>> = {},
  header: Partial<JWTHeaderParameters> = {},
): Promise<string> {
  const time = seconds();
  const good = { iss: issuerName, aud: "registry", sub: "boss", groups: ["pushers"], iat: time, exp: time + 300 };
  return new SignJWT(JSON.parse(JSON.stringify({ ...good, ...claims })))
    .setProtectedHeader({ alg: jwk.alg, kid: jwk.kid, ...header })
    .sign(privateKey);
}

/** A server that publishes keys (RFC 7517), on the loopback interface. */
export interface KeyServer {
  readonly url: string;
  /** How often it was asked. */
  asked(): number;
  /** From now on these are published, and no others. */
  publish(...keys: readonly SigningKey[]): void;
  /** From now on nobody gets a response. */
  fallSilent(): void;
  /** Goes away, and leaves its port unused. */
  stop(): Promise<void>;
  /** Comes back, at the same port. */
  start(): Promise<void>;
  close(): Promise<void>;
}

export async function startKeyServer(...keys: readonly SigningKey[]): Promise<KeyServer> {
  let published: readonly SigningKey[] | "silence" = keys;
  let asked = 0;
  const server = createServer((_request, response) => {
    asked += 1;
    if (published !== "silence") response.end(JSON.stringify({ keys: published.map(({ jwk }) => jwk) }));
  });
  const port = await listen(server);
  const stop = async (): Promise<void> => {
    if (!server.listening) return;
    const closed = once(server, "close");
    server.close();
    server.closeAllConnections();
    await closed;
  };
  return {
    url: `http://127.0.0.1:${port}/jwks`,
    asked: () => asked,
    publish: (...next) => {
      published = next;
    },
    fallSilent: () => {
      published = "silence";
    },
    stop,
    async start() {
      server.listen(port, "127.0.0.1");
      await once(server, "listening");
    },
    close: stop,
  };
}
