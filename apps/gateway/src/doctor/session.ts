import { type Challenge, readChallenge } from "./challenge.ts";
import type { Examination } from "./examination.ts";
import { type Connection, type Exchange, exchange, type Outgoing } from "./exchange.ts";
import { basicAuthorization, type Login } from "./login.ts";
import { inspectResponses } from "./response-faults.ts";
import { fetchToken } from "./token.ts";

export interface SessionOptions {
  /** The gate's URL, without a path. */
  readonly base: URL;
  readonly connection: Connection;
  readonly login: Login | undefined;
  readonly signal: AbortSignal;
  readonly report: Examination["report"];
}

export interface SessionRequest {
  readonly method: string;
  /** Below `/v2/`, at the gate alone. */
  readonly path: string;
  /** As a client of the Docker token protocol asks for them, such as `repository:team/app:pull`. */
  readonly scopes?: readonly string[];
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer | string;
  readonly send?: (outgoing: Outgoing) => Promise<void>;
  /** In milliseconds. */
  readonly timeLimit?: number;
  /** Without a login. */
  readonly anonymous?: boolean;
  /** In place of the examination's. */
  readonly signal?: AbortSignal;
}

/** Talks to a gate as docker does: by the challenge that it was given. */
export interface Session {
  readonly base: URL;
  readonly connection: Connection;
  /** What the first request was asked for; `undefined` before that and where no login is asked for. */
  challenge(): Challenge | undefined;
  setChallenge(challenge: Challenge | undefined): void;
  /**
   * Sends a request with the login. Where a token does not suffice, it asks once for one of the scope that the challenge
   * names.
   *
   * @throws {ExchangeError} where there is no response.
   * @throws {StepEnd} where no token is given.
   */
  request(request: SessionRequest): Promise<Exchange>;
  /** As {@link Session.request}, with this header and no other login. */
  requestWith(authorization: string | undefined, request: SessionRequest): Promise<Exchange>;
}

export function createSession({ base, connection, login, signal, report }: SessionOptions): Session {
  const inspect = inspectResponses(report);
  const tokens = new Map<string, string>();
  let challenge: Challenge | undefined;

  async function requestWith(authorization: string | undefined, request: SessionRequest): Promise<Exchange> {
    const { method, path, headers = {}, body, send, timeLimit } = request;
    const response = await exchange({
      ...{ method, connection, signal: request.signal ?? signal },
      url: new URL(path, base),
      headers: { ...headers, ...(authorization !== undefined && { Authorization: authorization }) },
      ...(body !== undefined && { body }),
      ...(send !== undefined && { send }),
      ...(timeLimit !== undefined && { timeLimit }),
    });
    inspect(response);
    return response;
  }

  async function authorizationFor(scopes: readonly string[], until: AbortSignal): Promise<string | undefined> {
    if (challenge === undefined) return undefined;
    if (challenge.kind === "basic") return login && basicAuthorization(login);
    const key = scopes.join(" ");
    const token =
      tokens.get(key) ?? (await fetchToken({ challenge, scopes, login, base, connection, signal: until, report }));
    tokens.set(key, token);
    return `Bearer ${token}`;
  }

  return {
    ...{ base, connection, requestWith },
    challenge: () => challenge,
    setChallenge(next) {
      challenge = next;
    },
    async request(request) {
      const { scopes = [], anonymous = false } = request;
      const until = request.signal ?? signal;
      const authorization = anonymous ? undefined : await authorizationFor(scopes, until);
      const response = await requestWith(authorization, request);
      const asked = readChallenge(response.headers["www-authenticate"]);
      const more = asked?.kind === "bearer" ? asked.scope : undefined;
      if (anonymous || response.status !== 401 || more === undefined || scopes.includes(more)) return response;
      if (challenge?.kind !== "bearer") return response;
      return requestWith(await authorizationFor([...scopes, more], until), request);
    },
  };
}
