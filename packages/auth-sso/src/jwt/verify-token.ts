import { decodeJwt, errors, type JWTPayload, jwtVerify } from "jose";
import type { KeyFault } from "./key-set.ts";
import type { Key } from "./key-source.ts";
import type { TokenRules } from "./resolve-options.ts";
import { readTokenHeader, type TokenHeader } from "./token-form.ts";

/** The claims of a good token, or why it is not good. The fault is for the log and quotes nothing of the token. */
export type Verified =
  | { readonly claims: JWTPayload /** Seconds since the epoch. */; readonly expires: number; readonly fault?: never }
  | { readonly fault: string };

/** Finds the key that a token says it is signed with. */
export type FindKey = (alg: string, kid: string | undefined) => Promise<Key | KeyFault>;

const USUAL_TYPES = new Set(["jwt", "at+jwt"]);

const KEY_FAULTS: Readonly<Record<KeyFault, string>> = {
  unknown: "the token is signed with a key that the issuer does not have",
  ambiguous: "the token does not say which of the issuer's keys it is signed with",
  unusable: "the issuer's key cannot be used",
};

/**
 * Verifies a token by RFC 7519, section 7.2 and RFC 8725. Whatever can be refused without a key is refused before one is
 * looked for.
 *
 * The key is one of the issuer's, whatever the token brings along: `jwk`, `jku`, `x5u` and `x5c` (RFC 7515, section 4.1)
 * are neither followed nor read. Some issuers put them into every token.
 *
 * @throws what `findKey` throws.
 */
export async function verifyToken(token: string, rules: TokenRules, findKey: FindKey): Promise<Verified> {
  if (Buffer.byteLength(token) > rules.maxTokenBytes) return { fault: "the token is too long" };
  const header = readTokenHeader(token);
  if (header === undefined) return { fault: "it is not a signed token" };
  const fault = headerFault(header, rules) ?? issuerFault(token, rules);
  if (fault !== undefined) return { fault };
  const key = await findKey(header.alg, header.kid);
  if (typeof key === "string") return { fault: KEY_FAULTS[key] };
  return verifyWith(key, token, rules);
}

function headerFault(header: TokenHeader, { algorithms, typ, signer, audience }: TokenRules): string | undefined {
  const { alg, parameters, padded } = header;
  if (!algorithms.some((allowed) => allowed === alg)) return "the token's algorithm is not allowed";
  if (Object.hasOwn(parameters, "crit")) return "the token has critical extensions";
  if (Object.hasOwn(parameters, "kid") && typeof parameters.kid !== "string") return "the token's kid is not a string";
  const said = parameters.typ;
  const type = typeof said === "string" ? said.toLowerCase().replace(/^application\//, "") : said;
  const typeIsRight =
    typ === undefined
      ? type === undefined || (typeof type === "string" && USUAL_TYPES.has(type))
      : type === typ.toLowerCase();
  if (!typeIsRight) return "the token is of another type";
  if (signer === undefined) return padded ? "the token's segments are padded" : undefined;
  if (parameters.signer !== signer) return "the token was signed by another load balancer";
  const { client } = parameters;
  return typeof client === "string" && audience.includes(client) ? undefined : "the token is for another client";
}

/** Before the signature is checked: the keys of this issuer are of no use for the token of another. */
function issuerFault(token: string, { issuer }: TokenRules): string | undefined {
  try {
    return decodeJwt(token).iss === issuer ? undefined : "the token is of another issuer";
  } catch {
    return "the token holds no claims";
  }
}

async function verifyWith(key: Key, token: string, rules: TokenRules): Promise<Verified> {
  const { algorithms, issuer, audience, signer, leeway } = rules;
  try {
    const { payload } = await jwtVerify(token, key, {
      algorithms: [...algorithms],
      issuer,
      // A load balancer says in the header whom a token is for.
      ...(signer === undefined ? { audience: [...audience] } : {}),
      clockTolerance: leeway,
      requiredClaims: ["exp"],
    });
    const { exp, iat } = payload;
    if (exp === undefined) return { fault: "the token does not say when it expires" };
    if (iat !== undefined && iat > Date.now() / 1000 + leeway) return { fault: "the token is from the future" };
    return { claims: payload, expires: exp };
  } catch (error) {
    return { fault: reasonOf(error) };
  }
}

function reasonOf(error: unknown): string {
  if (error instanceof errors.JWTExpired) return "the token has expired";
  if (error instanceof errors.JWSSignatureVerificationFailed) return "the token's signature is wrong";
  if (error instanceof errors.JWTClaimValidationFailed)
    return `the token's ${error.claim} is missing or not as required`;
  return error instanceof errors.JOSEError ? "the token is malformed" : KEY_FAULTS.unusable;
}
