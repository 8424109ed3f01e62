import type { Logger } from "@registry-gate/auth";
import { controlPattern, token68Pattern } from "@registry-gate/auth-kit";
import type { RegistryCredentials, UpstreamOptions } from "../options/options.ts";
import type { ResponseSink, Transfer, Transport, UpstreamRequest } from "./transport.ts";
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

  /** Whether the response is a challenge to the gate. */
  function refusesGate(statusCode: number): boolean {
    const refused = statusCode === 401 || statusCode === 407;
    if (refused) report.refused(statusCode);
    else report.accepted();
    return refused;
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
      let transfer: Transfer | undefined;
      let over = false;
      const judging: ResponseSink = {
        head(head) {
          if (!refusesGate(head.statusCode)) return sink.head(head);
          over = true;
          transfer?.abort();
          sink.failed({ kind: "login", error: new RegistryLoginError(reason(credentials)), stale: false });
        },
        chunk: (chunk, consumed) => !over && sink.chunk(chunk, consumed),
        flush: () => void (over || sink.flush()),
        end: () => void (over || sink.end()),
        failed: (failure) => void (over || sink.failed(failure)),
      };
      transfer = transport.send(signed, judging, options);
      if (over) transfer.abort();
      return transfer;
    },
    close: () => transport.close(),
  };
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
