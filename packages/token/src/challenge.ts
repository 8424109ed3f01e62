import type { Access, Challenge, ChallengeContext } from "@registry-gate/auth";
import { formatScopes, type ResourceAccess } from "./scope.ts";

/** Where clients are sent for a token. */
export interface ChallengeOptions {
  /** The URL of the token endpoint. Default: `/v2/auth` at the scheme, host and port that the client uses. */
  readonly realm?: string;
  /** What the registry is called. Default: the host of the realm, which is that of the client's own URL without one. */
  readonly service?: string;
}

/** The path of the token endpoint. */
export const tokenPath = "/v2/auth";

/**
 * docker shows nothing else of a refused push than this description (RFC 6750, section 3): without it, it says "denied", and
 * nobody is led to a login.
 */
const loginRequired = "authentication required: log in";

/**
 * Makes a Bearer challenge of the Docker token specification: where a token is to be had, and for what. The values are not
 * quoted yet.
 */
export function bearerChallenge({ realm, service }: ChallengeOptions = {}): (context: ChallengeContext) => Challenge {
  return ({ accesses, error, origin }) => {
    const endpoint = realm ?? `${origin}${tokenPath}`;
    const scope = formatScopes(challengedScopes(accesses));
    return {
      scheme: "Bearer",
      parameters: {
        realm: endpoint,
        service: service ?? hostOf(endpoint),
        ...(scope !== "" && { scope }),
        ...(error !== undefined && { error }),
        ...(error === "insufficient_scope" && { error_description: loginRequired }),
      },
    };
  };
}

/** The host and port of a URL; empty where it is none. */
export function hostOf(url: string): string {
  return URL.parse(url)?.host ?? "";
}

/** One for each resource. A push also reads what is there already, so that its token should do for both. */
function challengedScopes(accesses: readonly Access[]): readonly ResourceAccess[] {
  const scopes = new Map<string, ResourceAccess>();
  for (const { type, name, action } of accesses) {
    const key = JSON.stringify([type, name]);
    const wanted = action === "push" ? ["pull", "push"] : [action];
    const actions = [...new Set([...(scopes.get(key)?.actions ?? []), ...wanted])];
    scopes.set(key, { type, name, actions });
  }
  return [...scopes.values()];
}
