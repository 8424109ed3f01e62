import type { AuthBackend, BasicCredentials, Principal } from "@registry-gate/auth";
import type { Verdict } from "../authenticate/verdict.ts";
import type { Permissions } from "../authorize/permission.ts";
import type { Decision, IssuedToken } from "../observe/record.ts";

/** Where clients get tokens, by the Docker token protocol: `@registry-gate/token` makes one. It knows no sockets. */
export interface TokenEndpoint {
  /** Such as `/v2/auth`. Requests for this path are its own, whatever their method. */
  readonly path: string;
  /**
   * Responds to one request.
   *
   * @throws what the signal of the gate gives as its reason, and nothing else.
   */
  respond(request: TokenRequest, gate: TokenGate): Promise<TokenResponse>;
}

/** A request for a token, as HTTP has brought it. */
export interface TokenRequest {
  readonly method: string;
  /** What follows the `?` of the target; empty where there is none. */
  readonly query: string;
  /** Of the `Content-Type` header. */
  readonly contentType: string | undefined;
  /** What is in the body. It is read at a POST alone, and no more of it than a form may have. */
  readonly body: AsyncIterable<Uint8Array>;
}

/** What an endpoint asks of the gate around it, about one request. */
export interface TokenGate {
  /** The request's `X-Request-Id`: for the detail of an error, and for the log. */
  readonly requestId: string;
  /** Those of the authenticator: refresh tokens look their users up again. */
  readonly backends: readonly AuthBackend[];
  /** The scheme and authority by which the client reaches the gate, such as `https://registry.example.com`. */
  readonly origin: string;
  /** Aborts when nobody waits for the response any more. */
  readonly signal: AbortSignal;
  /** Judges the headers of the request. */
  authenticate(): Verdict | Promise<Verdict>;
  /** Judges a user name and a password from the form. */
  verify(credentials: BasicCredentials): Promise<Verdict>;
  /** What a principal may do to a repository, by the rules and their grants. */
  permissions(principal: Principal, repository: string): Permissions;
  /** Whether a principal may list repositories, of which the list names those that they may pull. */
  mayListRepositories(principal: Principal): boolean;
}

/** What is to be sent, and what a record says about it. */
export interface TokenResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** JSON. */
  readonly body: string;
  readonly decision: Decision;
  /** For the log. Never holds a secret. */
  readonly reason: string;
  /** To whom a token was issued, or would have been. */
  readonly principal?: Principal;
  /** Whether credentials were given that are not valid. */
  readonly loginRejected?: boolean;
  /** What was given out. */
  readonly issued?: IssuedToken;
  /** Of a login that failed. */
  readonly attemptedUsername?: string;
}
