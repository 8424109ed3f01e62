import type { AuthBackend, Logger } from "@registry-gate/auth";
import type { MakeChallenge, TokenEndpoint } from "@registry-gate/core";
import {
  bearerChallenge,
  createTokenEndpoint,
  createTokenService,
  type RefreshTokenStore,
  type RefreshTokens,
  refreshTokens,
  type TokenKeys,
  tokenBackend,
} from "@registry-gate/token";
import type { TokenConfiguration } from "../config/sections/auth.ts";

/** What a gate that asks for Bearer issues tokens by, and knows them by. */
export interface GateTokens {
  readonly challenge: MakeChallenge;
  /** Comes before all others: it abstains from what is no token of this gate. */
  readonly backend: AuthBackend;
  readonly endpoint: TokenEndpoint;
  /** Logins that last; absent where there are none. */
  readonly refreshTokens: RefreshTokens | undefined;
}

const thirtyDays = 30 * 86_400_000;

/** Whether logins are to last beyond a token. */
export function hasRefreshTokens({ refreshTtl = thirtyDays }: TokenConfiguration = {}): boolean {
  return refreshTtl > 0;
}

export interface GateTokensContext {
  readonly keys: TokenKeys;
  /** Keeps refresh tokens; without it none are issued. */
  readonly store: RefreshTokenStore | undefined;
  /** Those by which tokens are issued, once they are open. */
  readonly backends: () => readonly AuthBackend[];
  readonly log: Logger;
}

export function gateTokens(
  { ttl, refreshTtl = thirtyDays, uploadGrace, realm, service }: TokenConfiguration = {},
  { keys, store, backends, log }: GateTokensContext,
): GateTokens {
  const place = { ...(realm !== undefined && { realm }), ...(service !== undefined && { service }) };
  const lasting = store === undefined || refreshTtl === 0 ? undefined : refreshTokens({ store, ttl: refreshTtl });
  const withRefresh = lasting === undefined ? {} : { refreshTokens: lasting };
  const tokens = createTokenService({ keys, ...(ttl !== undefined && { ttl }), ...withRefresh });
  return {
    challenge: bearerChallenge(place),
    backend: tokenBackend({ keys, backends, ...place, ...(uploadGrace !== undefined && { uploadGrace }) }),
    endpoint: createTokenEndpoint({ tokens, ...place, ...withRefresh, log }),
    refreshTokens: lasting,
  };
}
