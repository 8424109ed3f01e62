import type { Logger } from "@registry-gate/auth";
import { controlPattern, token68Pattern } from "@registry-gate/auth-kit";
import type { RegistryCredentials, UpstreamOptions } from "../options/options.ts";
import type { ResponseSink, Transfer, Transport, UpstreamRequest } from "./transport.ts";
import { asError } from "./transport-errors.ts";

/** The registry wants a login, or another one than the gate's. */
class RegistryLoginError extends Error {
  override readonly name = "RegistryLoginError";
}

/** What keeps credentials from being sent. */
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
 * Signs the gate in at the registry with each request (RFC 7617, RFC 6750), and keeps the registry's demand for a login from
 * everybody else: it is the gate that must sign in, and a client that is asked for a password would send that of its user.
 *
 * What is signed is for the registry by its own name. By a `Host` that a client chooses, a server of several names would take
 * the login for another one of them, where the gate guards nothing.
 *
 * @param host The registry's own, with its port where that is not the scheme's.
 */
export function withRegistryLogin(
  transport: Transport,
  credentials: UpstreamOptions["credentials"],
  host: string,
  log: Logger | undefined,
): Transport {
  const authorization = authorizationReader(credentials);
  let refused = false;

  /** Whether the response asks the gate for a login. Said once in the log, until the registry has let the gate in again. */
  function refusesGate(statusCode: number): boolean {
    const before = refused;
    refused = statusCode === 401 || statusCode === 407;
    if (refused && !before) log?.warn({ status: statusCode }, reason(credentials));
    if (!refused && before) log?.info({}, "the registry lets the gate in again");
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

function reason(credentials: UpstreamOptions["credentials"]): string {
  return credentials === undefined
    ? "the registry asks for a login of its own: set upstream.credentials, since no user's login is passed on to it"
    : "the registry refuses the gate's own login: upstream.credentials are wrong, or may not do this";
}

/** Makes a function that gives the value of `Authorization`, and throws where the credentials of the moment are of no use. */
function authorizationReader(credentials: UpstreamOptions["credentials"]): () => string | undefined {
  if (credentials === undefined) return () => undefined;
  if (typeof credentials !== "function") {
    const value = registryAuthorization(credentials);
    return () => value;
  }
  return () => registryAuthorization(credentials());
}

/**
 * The `Authorization` by which the gate signs in at a registry.
 *
 * @throws {TypeError} where the credentials cannot be sent: what is empty, a control character, a colon in the name.
 */
export function registryAuthorization(credentials: RegistryCredentials): string {
  const fault = credentialsFault(credentials);
  if (fault !== undefined) throw new TypeError(fault);
  if ("bearer" in credentials) return `Bearer ${credentials.bearer}`;
  const { username, password } = credentials;
  return `Basic ${Buffer.from(`${username}:${password}`, "utf8").toString("base64")}`;
}
