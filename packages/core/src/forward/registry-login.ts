import type { Logger } from "@registry-gate/auth";
import { controlPattern, token68Pattern } from "@registry-gate/auth-kit";
import type { RegistryCredentials, UpstreamOptions } from "../options/options.ts";
import { PassingTransfer } from "./passing-transfer.ts";
import type {
  ResponseHead,
  ResponseSink,
  Transfer,
  Transport,
  TransportFailure,
  UpstreamRequest,
} from "./transport.ts";
import { asError } from "./transport-errors.ts";

/** The registry requires a login, or rejects that of the gate. */
class RegistryLoginError extends Error {
  override readonly name = "RegistryLoginError";
}

/** The reason why credentials cannot be sent. */
export function credentialsFault(credentials: RegistryCredentials): string | undefined {
  if ("bearer" in credentials) return token68Pattern.test(credentials.bearer) ? undefined : "bearer must be a token";
  const { username, password } = credentials;
  if (username === "" || username.includes(":") || controlPattern.test(username) || !username.isWellFormed()) {
    return "username must not be empty, and must hold no colon and no control character";
  }
  if (password === "" || controlPattern.test(password) || !password.isWellFormed()) {
    return "password must not be empty, and must hold no control character";
  }
  return undefined;
}

/**
 * Adds the gate's own login to each request (RFC 7617, RFC 6750), and hides the registry's challenges from clients: the
 * gate must sign in, and a client would send the password of its user.
 *
 * Authenticated requests have the registry's own `Host`. With a `Host` chosen by the client, a server with several
 * virtual hosts would accept the login for one that the gate does not protect.
 *
 * @param host The registry's own, with a non-default port.
 */
export function withRegistryLogin(
  transport: Transport,
  credentials: UpstreamOptions["credentials"],
  host: string,
  log: Logger | undefined,
): Transport {
  const authorization = authorizationReader(credentials);
  const report = loginReport(credentials, log);

  /** Why the response is not for the client: it is a challenge to the gate. */
  function refusal(statusCode: number): RegistryLoginError | undefined {
    if (statusCode !== 401 && statusCode !== 407) return void report.accepted();
    report.refused(statusCode);
    return new RegistryLoginError(reason(credentials));
  }

  return {
    send(request, sink, options) {
      let signed: UpstreamRequest;
      try {
        const value = authorization();
        signed =
          value === undefined ? request : { ...request, headers: { ...request.headers, host, authorization: value } };
      } catch (error) {
        sink.failed({ kind: "internal", error: asError(error), stale: false });
        return { resume() {}, abort() {} };
      }
      const judged = new JudgedTransfer(sink, refusal);
      judged.sent(transport.send(signed, judged, options));
      return judged;
    },
    close: () => transport.close(),
  };
}

/** A request whose response reaches the client only where the registry does not refuse the gate. */
class JudgedTransfer extends PassingTransfer {
  readonly #refusal: (statusCode: number) => Error | undefined;
  #refused = false;

  constructor(sink: ResponseSink, refusal: (statusCode: number) => Error | undefined) {
    super(sink);
    this.#refusal = refusal;
  }

  sent(transfer: Transfer): void {
    this.transfer = transfer;
    if (this.#refused) transfer.abort();
  }

  override head(head: ResponseHead): void {
    const error = this.#refusal(head.statusCode);
    if (error === undefined) return void this.sink.head(head);
    this.#refused = true;
    this.transfer?.abort();
    this.sink.failed({ kind: "login", error, stale: false });
  }

  override chunk(chunk: Buffer, consumed?: (error?: Error | null) => void): boolean {
    return !this.#refused && this.sink.chunk(chunk, consumed);
  }

  override flush(): void {
    if (!this.#refused) this.sink.flush();
  }

  override end(): void {
    if (!this.#refused) this.sink.end();
  }

  override failed(failure: TransportFailure): void {
    if (!this.#refused) this.sink.failed(failure);
  }
}

/**
 * Logs a refusal once, until the registry accepts the login again. A registry may refuse some requests and accept others,
 * such as pushes where anybody may pull: of refusals that come again, the 2nd, the 4th, the 8th and so on are logged.
 */
function loginReport(credentials: UpstreamOptions["credentials"], log: Logger | undefined) {
  let refused = false;
  let times = 0;
  let logged = false;
  return {
    refused(status: number): void {
      if (refused) return;
      refused = true;
      times++;
      logged = Number.isInteger(Math.log2(times));
      if (logged) log?.warn({ status, ...(times > 1 && { times }) }, reason(credentials));
    },
    accepted(): void {
      if (!refused) return;
      refused = false;
      if (logged) log?.info({}, "the registry accepts the gate's login again");
    },
  };
}

function reason(credentials: UpstreamOptions["credentials"]): string {
  return credentials === undefined
    ? "the registry requires a login: set upstream.credentials, since no user's login is forwarded"
    : "the registry rejects the gate's login: upstream.credentials are wrong, or may not do this";
}

/**
 * Creates a function that returns the value of `Authorization`, and throws where the current credentials are invalid.
 */
function authorizationReader(credentials: UpstreamOptions["credentials"]): () => string | undefined {
  if (credentials === undefined) return () => undefined;
  if (typeof credentials !== "function") {
    const value = registryAuthorization(credentials);
    return () => value;
  }
  return () => registryAuthorization(credentials());
}

/**
 * The `Authorization` of the gate's login at a registry.
 *
 * @throws {TypeError} for invalid credentials: an empty part, a control character, a colon in the user name.
 */
export function registryAuthorization(credentials: RegistryCredentials): string {
  const fault = credentialsFault(credentials);
  if (fault !== undefined) throw new TypeError(fault);
  if ("bearer" in credentials) return `Bearer ${credentials.bearer}`;
  const { username, password } = credentials;
  return `Basic ${Buffer.from(`${username}:${password}`, "utf8").toString("base64")}`;
}
