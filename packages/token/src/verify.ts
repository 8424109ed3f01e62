import { compactVerify } from "jose/jws/compact/verify";
import { type IdentityClaims, readClaims, type TokenClaims } from "./claims.ts";
import { maxTokenBytes } from "./issue.ts";
import type { TokenKeys } from "./keys.ts";
import { unpackIdentity } from "./packed-identity.ts";
import { readHeader } from "./token-header.ts";

/** How far clocks of replicas may be apart, in seconds. */
const leeway = 5;

/** What {@link verifyToken} asks of a token. */
export interface TokenRules {
  /** What `iss` must be. */
  readonly issuer: string;
  /** What `aud` must be or hold. `undefined`: any audience, where the signature says enough. */
  readonly service: string | undefined;
  /** For how long after its end a token counts for uploads, in milliseconds. */
  readonly uploadGrace: number;
}

/** What a token says of who has it. */
export interface VerifiedToken {
  readonly claims: TokenClaims;
  /** `undefined` for a token that was issued to nobody. */
  readonly identity: IdentityClaims | undefined;
  /** In milliseconds since the epoch, the leeway included: when what was found ceases to hold. */
  readonly until: number;
}

/** What {@link verifyToken} finds. A reason is for the log, and quotes nothing of the token. */
export type TokenFinding =
  | ({ readonly kind: "valid" } & VerifiedToken)
  /** It has expired, and not longer ago than `uploadGrace`. */
  | ({ readonly kind: "expired" } & VerifiedToken)
  | { readonly kind: "invalid"; readonly reason: string }
  /** It is no token of this kind, whoever issued it. */
  | { readonly kind: "foreign" };

const decoder = new TextDecoder("utf-8", { fatal: true });

/**
 * Verifies a token (RFC 7519, section 7.2; RFC 8725). The algorithm is that of the keys, whatever the header says, and the key
 * one of them. Nothing that a header points to is followed. Clocks may be 5 s apart.
 *
 * It throws nothing, whatever the text is.
 */
export async function verifyToken(text: string, keys: TokenKeys, rules: TokenRules): Promise<TokenFinding> {
  const reading = readHeader(text);
  if (reading.kind === "foreign") return { kind: "foreign" };
  if (text.length > maxTokenBytes) return invalid("the token is too long");
  if (reading.kind === "malformed") return invalid("the token's header is malformed");
  if (!text.split(".").every(isCanonical)) return invalid("the token is not spelled as it was signed");
  const { alg, kid } = reading.header;
  const algorithm = keys.algorithm();
  if (alg !== algorithm) return invalid("the token's algorithm is not the one of the keys");
  const key = keys.find(kid);
  if (key === undefined) return invalid("the token is signed with an unknown key");
  let payload: Uint8Array;
  try {
    ({ payload } = await compactVerify(text, key.publicKey, { algorithms: [algorithm] }));
  } catch {
    return invalid("the token's signature is wrong");
  }
  const claims = parseClaims(payload);
  if (claims === undefined) return invalid("the token's claims are malformed");
  return judgeClaims(claims, rules);
}

/** The last character of Base64 has bits that mean nothing (RFC 4648, section 3.5): one token has one spelling. */
function isCanonical(segment: string): boolean {
  return Buffer.from(segment, "base64url").toString("base64url") === segment;
}

function parseClaims(payload: Uint8Array): TokenClaims | undefined {
  try {
    return readClaims(JSON.parse(decoder.decode(payload)));
  } catch {
    return undefined;
  }
}

function judgeClaims(claims: TokenClaims, { issuer, service, uploadGrace }: TokenRules): TokenFinding {
  const { iss, aud, sub, exp, nbf, iat, rg } = claims;
  if (iss !== issuer) return invalid("the token is of another issuer");
  const audience = typeof aud === "string" ? [aud] : aud;
  if (service !== undefined && !audience.includes(service)) return invalid("the token is for another service");
  const now = Date.now() / 1000;
  if (nbf > now + leeway) return invalid("the token is not valid yet");
  if (iat > now + leeway) return invalid("the token is from the future");
  const identity = typeof rg === "string" ? unpackIdentity(rg) : rg;
  if (identity?.username !== (sub === "" ? undefined : sub)) return invalid("the token does not say whose it is");
  const end = (exp + leeway) * 1000;
  if (Date.now() < end) return { kind: "valid", claims, identity, until: end };
  const graceEnd = end + uploadGrace;
  if (Date.now() < graceEnd) return { kind: "expired", claims, identity, until: graceEnd };
  return invalid("the token has expired");
}

function invalid(reason: string): TokenFinding {
  return { kind: "invalid", reason };
}
