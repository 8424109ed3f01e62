import { type ResourceAccess, readScopes } from "../scope.ts";

/** Parameters of a token request. Those that are empty count as left out. */
export interface TokenParameters {
  readonly service: string | undefined;
  readonly scopes: readonly ResourceAccess[];
  readonly offline: boolean;
  readonly clientId: string | undefined;
  readonly grantType: string | undefined;
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly refreshToken: string | undefined;
}

/** Parameters that can be used, or what is wrong with them. */
export type ParameterReading =
  | { readonly parameters: TokenParameters; readonly fault?: never }
  | {
      readonly parameters?: never;
      readonly fault: string;
      readonly error: "invalid_request" | "invalid_scope";
    };

const once = [
  "service",
  "grant_type",
  "username",
  "password",
  "refresh_token",
  "offline_token",
  "access_type",
] as const;

/**
 * Reads the parameters of a query or a form. Only `scope` may stand several times (RFC 6749, section 3.2): of others it would
 * be a matter of reading which counts. `account` says what the login says already, and others are not known: neither is read.
 */
export function readParameters(given: URLSearchParams): ParameterReading {
  const twice = once.find((name) => given.getAll(name).length > 1);
  if (twice !== undefined) return { fault: `duplicate ${twice}`, error: "invalid_request" };
  const { access, fault } = readScopes(given.getAll("scope"));
  if (access === undefined) return { fault, error: "invalid_scope" };
  const one = (name: string): string | undefined => given.get(name) || undefined;
  return {
    parameters: {
      service: one("service"),
      scopes: access,
      offline: one("offline_token") === "true" || one("access_type") === "offline",
      clientId: one("client_id"),
      grantType: one("grant_type"),
      username: one("username"),
      password: one("password"),
      refreshToken: one("refresh_token"),
    },
  };
}
