import { randomUUID } from "node:crypto";
import type { Principal } from "@registry-gate/auth";
import { CompactSign } from "jose/jws/compact/sign";
import { type IdentityClaims, identityClaims, type TokenClaims } from "./claims.ts";
import type { TokenKeys } from "./keys.ts";
import { packIdentity } from "./packed-identity.ts";
import type { ResourceAccess } from "./scope.ts";

/** The header parameter `typ` of every token (RFC 8725, section 3.11): no other JWT can be taken for one. */
export const tokenType = "registry-gate+jwt";

/** What an issuer is called where it is given no name. */
export const defaultIssuer = "registry-gate";

/** The longest token, in bytes: with it in a header, a request fits through every proxy. */
export const maxTokenBytes = 8192;

/** What {@link issueToken} puts into a token. */
export interface TokenContent {
  readonly issuer: string;
  /** The audience: whom the token is for. */
  readonly service: string;
  readonly principal: Principal;
  readonly access: readonly ResourceAccess[];
  /** For how long it holds, in milliseconds; rounded to seconds, and at least one. */
  readonly ttl: number;
  /** When it must have ended, in milliseconds since the epoch. */
  readonly notAfter?: number | undefined;
  /** Whether to leave out who the user is but for the name, for a registry that verifies tokens itself. */
  readonly withoutIdentity?: boolean;
}

/** A signed token. */
export interface IssuedToken {
  readonly token: string;
  /** In seconds since the epoch. */
  readonly issuedAt: number;
  /** In seconds. */
  readonly expiresIn: number;
  /** The groups were left out: they do not fit into a token. */
  readonly withoutGroups?: true;
}

/** What is asked for does not fit into a token. */
export class TokenTooLargeError extends Error {
  override readonly name = "TokenTooLargeError";
}

/**
 * Issues a token of the Docker token specification: a JWT of at most 8 KiB.
 *
 * Where a user's groups do not fit, they are compressed; where they still do not, they are left out, and the identity says
 * that they are incomplete: then rules that allow by a group do not count, and those that deny by one hold.
 *
 * @throws {TokenTooLargeError} where what is granted alone is too much.
 */
export async function issueToken(keys: TokenKeys, content: TokenContent): Promise<IssuedToken> {
  const { issuer, service, principal, access, ttl, notAfter = Number.POSITIVE_INFINITY, withoutIdentity } = content;
  const now = Math.floor(Date.now() / 1000);
  const lifetime = Math.min(Math.round(ttl / 1000), Math.floor(notAfter / 1000) - now);
  const expiresIn = Math.max(1, lifetime);
  const claims: TokenClaims = {
    iss: issuer,
    aud: service,
    sub: principal.kind === "user" ? principal.identity.username : "",
    exp: now + expiresIn,
    nbf: now,
    iat: now,
    jti: randomUUID(),
    access,
  };
  const issued = { issuedAt: now, expiresIn };
  if (principal.kind === "anonymous" || withoutIdentity === true) {
    const token = await sign(keys, claims);
    if (token === undefined) throw new TokenTooLargeError("the scopes do not fit into a token");
    return { token, ...issued };
  }
  const limited = principal.grants === undefined ? {} : ({ limited: true } as const);
  const identity = { ...identityClaims(principal.identity), ...limited };
  for (const rg of [() => identity, () => packIdentity(identity)]) {
    const token = await sign(keys, { ...claims, rg: rg() });
    if (token !== undefined) return { token, ...issued };
  }
  const token = await sign(keys, { ...claims, rg: packIdentity(withoutGroups(identity)) });
  if (token === undefined) throw new TokenTooLargeError("the scopes do not fit into a token");
  return { token, ...issued, withoutGroups: true };
}

function withoutGroups({ ambiguousGroups: _, ...identity }: IdentityClaims): IdentityClaims {
  return { ...identity, groups: [], groupsIncomplete: "they do not fit into a token" };
}

/** @returns `undefined` where the token would be too long. */
async function sign(keys: TokenKeys, claims: TokenClaims): Promise<string | undefined> {
  const { kid, algorithm: alg, privateKey, x5c } = keys.signingKey();
  if (privateKey === undefined) throw new RangeError("a key that signs has a private part");
  const payload = Buffer.from(JSON.stringify(claims));
  // Before it is signed: what does not fit costs nothing.
  if (payload.length > maxTokenBytes) return undefined;
  const header = { alg, typ: tokenType, kid, ...(x5c !== undefined && { x5c: [...x5c] }) };
  const token = await new CompactSign(payload).setProtectedHeader(header).sign(privateKey);
  return token.length <= maxTokenBytes ? token : undefined;
}
