import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { htpasswdBackend, setPassword } from "@registry-gate/auth-htpasswd";
import { silentLog } from "@registry-gate/auth-kit";
import { compilePolicy, createAuthenticator } from "@registry-gate/core";
import {
  addKey,
  createTokenEndpoint,
  createTokenService,
  type NewKey,
  openKeys,
  tokenHandler,
} from "@registry-gate/token";
import { onTestFinished } from "vitest";
import { run } from "../support/run.ts";

/** The service that registries and tokens are for. */
export const service = "registry.example.com";

/** A token server for registries, with the user alice and a key in a file. */
export interface TokenServer {
  readonly realm: string;
  /** The certificate of the key, for `rootcertbundle`. */
  readonly certificate: string;
  /** The public keys, for `jwks`. */
  readonly jwks: string;
  /** A token for these scopes, for alice or nobody. */
  token(scopes: readonly string[], login?: "alice"): Promise<string>;
}

/** @param key Where it has a PEM, there is a certificate for it. */
export async function startTokenServer(key: NewKey & { readonly openssl?: readonly string[] }): Promise<TokenServer> {
  const directory = await mkdtemp(join(tmpdir(), "registry-gate-token-server-"));
  const at = (name: string): string => join(directory, name);
  const { openssl, ...chosen } = key;
  if (openssl === undefined) await addKey(at("keys.json"), chosen);
  else {
    await run("openssl", ["genpkey", ...openssl, "-out", at("key.pem")]);
    const subject = ["-subj", "/CN=registry-gate", "-days", "30"];
    await run("openssl", ["req", "-x509", "-new", "-key", at("key.pem"), ...subject, "-out", at("certificate.pem")]);
    await addKey(at("keys.json"), { ...chosen, pem: await readFile(at("key.pem"), "utf8") });
  }
  const keys = await openKeys({ file: "keys.json" }, { baseDirectory: directory, log: silentLog, warn: () => {} });
  await writeFile(at("jwks.json"), JSON.stringify(await keys.publicSet()));
  await setPassword(at("users"), "alice", "correct horse", { cost: 4 });
  const users = await htpasswdBackend({ file: at("users") });
  const authenticator = createAuthenticator({ backends: [users] });
  const handler = tokenHandler({
    endpoint: createTokenEndpoint({ tokens: createTokenService({ keys, withoutIdentity: true }), service }),
    authenticator,
    policy: compilePolicy([
      { subjects: ["anonymous"], repositories: ["public/**"], actions: ["pull"] },
      { subjects: ["authenticated"], repositories: ["team/**"], actions: ["pull", "push"] },
    ]),
  });
  const server = createServer(handler).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(async () => {
    server.closeAllConnections();
    server.close();
    authenticator.close();
    await users.close?.();
    keys.close();
    await rm(directory, { recursive: true, force: true });
  });
  const { port } = server.address() as AddressInfo;
  const realm = `http://127.0.0.1:${port}/v2/auth`;
  return {
    realm,
    certificate: at("certificate.pem"),
    jwks: at("jwks.json"),
    async token(scopes, login) {
      const query = new URLSearchParams([["service", service], ...scopes.map((scope) => ["scope", scope])]);
      const basic = `Basic ${Buffer.from("alice:correct horse").toString("base64")}`;
      const headers: Record<string, string> = login === undefined ? {} : { Authorization: basic };
      const response = await fetch(`${realm}?${query}`, { headers });
      const { token }: { token: string } = JSON.parse(await response.text());
      return token;
    },
  };
}
