import type {
  AuthBackend,
  Authenticated,
  AuthRequest,
  AuthResult,
  Challenge,
  ChallengeContext,
} from "@registry-gate/auth";
import { bearerChallenge, type ChallengeOptions, hostOf } from "./challenge.ts";
import { grantsOfAccess } from "./claims.ts";
import { defaultIssuer } from "./issue.ts";
import type { TokenKeys } from "./keys.ts";
import { type TokenFinding, verifyToken } from "./verify.ts";

/** What {@link tokenBackend} is told. Durations are in milliseconds here. */
export interface TokenBackendOptions extends ChallengeOptions {
  /** Default `token`. */
  readonly id?: string;
  readonly keys: TokenKeys;
  /** What `iss` of a token must be. Default `registry-gate`. */
  readonly issuer?: string;
  /**
   * Those by which tokens were issued. A token of any other is refused; a `recheck` is asked at each use, and an expired token
   * counts only for a user who can be looked up still. Default: they are not asked.
   */
  readonly backends?: () => readonly AuthBackend[];
  /** For how long after its end a token counts for continuing uploads. Default one hour; 0 for not at all. */
  readonly uploadGrace?: number;
}

const oneHour = 3_600_000;

/**
 * Makes a backend of the tokens that {@link issueToken} signs with the same keys. It abstains from all other credentials.
 *
 * The identity is the one that the token was issued to, with its own backend: rules decide about it again at every request,
 * cut to what the token grants.
 */
export function tokenBackend(options: TokenBackendOptions): AuthBackend {
  const { id = "token", keys, issuer = defaultIssuer, service, uploadGrace = oneHour, realm } = options;
  const { backends } = options;
  // Where none is configured, it is the client's own host: whoever sends a token could name any.
  const rules = { issuer, service: service ?? (realm === undefined ? undefined : hostOf(realm)), uploadGrace };
  const challenge = bearerChallenge(options);
  return {
    id,
    async authenticate(request) {
      const { credentials } = request;
      if (credentials?.scheme !== "bearer") return { status: "abstained" };
      const result = resultOf(await verifyToken(credentials.token, keys, rules));
      if (result.status !== "authenticated") return result;
      return backends === undefined ? result : recheck(result, request, backends());
    },
    challenge: (context: ChallengeContext): Challenge => challenge(context),
    // A token whose key was removed is one no more.
    onChange: (listener) => keys.onChange(() => listener()),
  };
}

/** Whether the login behind a token still holds, as far as its backend can tell. */
async function recheck(
  result: Authenticated,
  request: AuthRequest,
  backends: readonly AuthBackend[],
): Promise<AuthResult> {
  const { identity } = result;
  const issuer = backends.find(({ id }) => id === identity.backend);
  if (issuer === undefined)
    return { status: "rejected", reason: "the token is of a login by a backend that is no more" };
  if (issuer.recheck !== undefined) {
    const rememberFor = await issuer.recheck(identity, request);
    return rememberFor === undefined ? noLonger : { ...result, rememberFor };
  }
  if (result.uploadsOnly !== true || issuer.lookup === undefined) return result;
  return (await issuer.lookup(identity.subject, request.signal)) === undefined ? noLonger : result;
}

const noLonger: AuthResult = {
  status: "rejected",
  reason: "the login that the token was issued for holds no longer",
};

function resultOf(finding: TokenFinding): AuthResult {
  switch (finding.kind) {
    case "foreign":
      return { status: "abstained" };
    case "invalid":
      return { status: "rejected", reason: finding.reason };
    default: {
      const { claims, identity, until } = finding;
      const grants = grantsOfAccess(claims.access);
      const expired = finding.kind === "expired";
      if (identity !== undefined) {
        const uploadsOnly = expired ? ({ uploadsOnly: true } as const) : {};
        const { limited, ...owner } = identity;
        const widenable = limited === true ? {} : ({ widenable: true } as const);
        return { status: "authenticated", identity: owner, expiresAt: until, grants, ...widenable, ...uploadsOnly };
      }
      if (expired) return { status: "rejected", reason: "the token has expired" };
      return { status: "anonymous", expiresAt: until, grants };
    }
  }
}
