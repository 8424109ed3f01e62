import type { AuthBackend, Principal, UserPrincipal } from "@registry-gate/auth";
import type { Permissions } from "@registry-gate/core";
import { defaultIssuer, issueToken } from "./issue.ts";
import type { TokenKeys } from "./keys.ts";
import type { RefreshTokens } from "./refresh-tokens.ts";
import type { ResourceAccess } from "./scope.ts";

/** What {@link createTokenService} is told. */
export interface TokenServiceOptions {
  readonly keys: TokenKeys;
  /** What `iss` of a token is. Default `registry-gate`. */
  readonly issuer?: string;
  /** For how long a token holds, in milliseconds. Default 5 minutes; at least a second. */
  readonly ttl?: number;
  /** Default: there are none. */
  readonly refreshTokens?: RefreshTokens;
  /** Leaves out who a user is but for the name: for tokens that a registry verifies itself. Default `false`. */
  readonly withoutIdentity?: boolean;
}

/** A request for a token, from somebody who was authenticated, or nobody. */
export interface GrantRequest {
  readonly principal: Principal;
  /** What was asked for, as `readScopes` reads it. */
  readonly scopes: readonly ResourceAccess[];
  /** Whom the token is for. */
  readonly service: string;
  /** When the login itself ends, in milliseconds since the epoch. */
  readonly notAfter?: number | undefined;
  /** Whether a refresh token is asked for. */
  readonly offline: boolean;
  /** What the client calls itself. */
  readonly clientId?: string | undefined;
  /** Those by which a refresh token would look its user up. */
  readonly backends: readonly AuthBackend[];
  /** What a principal may do to a repository. */
  permissions(principal: Principal, repository: string): Permissions;
  /** Whether a principal may list repositories. */
  mayListRepositories(principal: Principal): boolean;
}

/** The body of a response with a token: Docker token specification, and RFC 6749, section 5.1. */
export interface TokenBody {
  readonly token: string;
  /** The same as `token`. */
  readonly access_token: string;
  readonly token_type: "Bearer";
  /** In seconds. */
  readonly expires_in: number;
  /** RFC 3339, in UTC. */
  readonly issued_at: string;
  readonly refresh_token?: string;
}

/** What was granted. */
export interface Grant {
  readonly body: TokenBody;
  readonly access: readonly ResourceAccess[];
  /** The user's groups do not fit into a token. */
  readonly withoutGroups: boolean;
}

/** Decides what a token is good for, and issues it. */
export interface TokenService {
  /**
   * Grants what was asked, cut to what the rules allow now. What is left may be nothing: such a token is valid, too.
   *
   * @throws {TokenTooLargeError} where what is granted does not fit into a token; and what the store of refresh tokens throws.
   */
  grant(request: GrantRequest): Promise<Grant>;
}

const fiveMinutes = 300_000;

/** Makes the part of a token server that knows nothing of HTTP. */
export function createTokenService(options: TokenServiceOptions): TokenService {
  const { keys, issuer = defaultIssuer, ttl = fiveMinutes, refreshTokens, withoutIdentity = false } = options;
  return {
    async grant(request) {
      const { principal, service, notAfter, offline, clientId, backends } = request;
      const access = request.scopes.flatMap((scope) => allowed(scope, request));
      const content = {
        issuer,
        service,
        principal: withoutRevision(principal, backends),
        access,
        ttl,
        notAfter,
        withoutIdentity,
      };
      const { token, issuedAt, expiresIn, withoutGroups = false } = await issueToken(keys, content);
      const refreshToken =
        offline && principal.kind === "user" && mayLast(principal, notAfter)
          ? await refreshTokens?.issue(principal.identity, backends, clientId)
          : undefined;
      const body: TokenBody = {
        token,
        access_token: token,
        token_type: "Bearer",
        expires_in: expiresIn,
        issued_at: new Date(issuedAt * 1000).toISOString().replace(".000Z", "Z"),
        ...(refreshToken !== undefined && { refresh_token: refreshToken }),
      };
      return { body, access, withoutGroups };
    },
  };
}

/**
 * What a password is worth to a guesser stays out of tokens, which clients keep in files: a revision is made from its hash. Only
 * whoever rechecks a login needs it there.
 */
function withoutRevision(principal: Principal, backends: readonly AuthBackend[]): Principal {
  if (principal.kind !== "user") return principal;
  const { revision, ...identity } = principal.identity;
  const rechecks = backends.some(({ id, recheck }) => id === identity.backend && recheck !== undefined);
  return revision === undefined || rechecks ? principal : { ...principal, identity };
}

/** Only a password leads to a login that lasts: a token that ends, or that grants less than its user has, does not. */
function mayLast({ via, grants }: UserPrincipal, notAfter: number | undefined): boolean {
  return via === "basic" && grants === undefined && notAfter === undefined;
}

function allowed(scope: ResourceAccess, request: GrantRequest): readonly ResourceAccess[] {
  const actions = scope.type === "registry" ? listActions(scope, request) : repositoryActions(scope, request);
  return actions.length === 0 ? [] : [{ ...scope, actions }];
}

/** Of what is registry-wide, there is the list of repositories alone. */
function listActions({ name, actions }: ResourceAccess, { principal, mayListRepositories }: GrantRequest): string[] {
  return name === "catalog" && actions.includes("*") && mayListRepositories(principal) ? ["*"] : [];
}

const repositoryActionNames = ["pull", "push", "delete"] as const;

function repositoryActions({ name, actions }: ResourceAccess, { principal, permissions }: GrantRequest): string[] {
  const may = permissions(principal, name);
  const everything = actions.includes("*");
  const granted = repositoryActionNames.filter((action) => may[action] && (everything || actions.includes(action)));
  return everything && granted.length === repositoryActionNames.length ? [...granted, "*"] : granted;
}
