import { createHash } from "node:crypto";
import { createRemoteJWKSet, jwtVerify } from "jose";
import type { Configuration } from "openid-client";
import type { PortalState } from "../../sessions/portal-state.ts";

/** Whom a provider has signed out. */
export type LogoutTarget = { readonly subject: string } | { readonly session: string };

const logoutEvent = "http://schemas.openid.net/event/backchannel-logout";
/** How old a token may be, and for how long it is remembered that it has come. */
const longestAge = 300;

/** Makes what verifies logout tokens (OpenID Connect Back-Channel Logout 1.0, section 2.6), each of which counts once. */
export function logoutTokens(
  state: PortalState,
  clientId: string,
): (token: string, configuration: Configuration) => Promise<LogoutTarget> {
  let keys: { readonly uri: string; readonly set: ReturnType<typeof createRemoteJWKSet> } | undefined;

  /** @throws {Error} for a token that does not count. */
  return async (token, configuration) => {
    const { issuer, jwks_uri: uri } = configuration.serverMetadata();
    if (uri === undefined) throw new Error("the provider names no keys");
    if (keys?.uri !== uri) keys = { uri, set: createRemoteJWKSet(new URL(uri)) };
    const { payload } = await jwtVerify(token, keys.set, {
      ...{ issuer, audience: clientId, maxTokenAge: longestAge, clockTolerance: 30 },
      // Never by a secret that clients have.
      algorithms: ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519"],
      requiredClaims: ["iat", "jti"],
    });
    const { events, nonce, sub, sid, jti } = payload;
    if (nonce !== undefined) throw new Error("it is an ID token");
    if (typeof events !== "object" || events === null || !Object.hasOwn(events, logoutEvent)) {
      throw new Error("it is not about signing out");
    }
    const seen = createHash("sha256")
      .update(JSON.stringify([issuer, jti]))
      .digest("base64url");
    if (!(await state.add(`portal/logout-token/${seen}`, "", 2 * longestAge * 1000)))
      throw new Error("it has come before");
    if (typeof sub === "string") return { subject: sub };
    if (typeof sid === "string") return { session: sid };
    throw new Error("it names nobody");
  };
}
