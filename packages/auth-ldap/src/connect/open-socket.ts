import { connect, isIP, type Socket } from "node:net";
import { type SecureContext, type TLSSocket, connect as tlsConnect } from "node:tls";
import { aborted, DirectoryError, describeCause, isRefusal } from "../directory-error.ts";
import type { ServerAddress } from "../url.ts";
import { startTls } from "./start-tls.ts";

export interface ConnectSettings {
  /** Ask for TLS on `ldap://`. */
  readonly startTLS: boolean;
  /** The name that the certificate must bear, where it is not the host. */
  readonly serverName: string | undefined;
  /** Over TCP, StartTLS and TLS together, in milliseconds. */
  readonly connectTimeout: number;
  secureContext(): SecureContext;
}

/** One completed step of opening a connection. */
export interface ConnectStep {
  readonly step: "connect" | "start-tls" | "tls";
  readonly milliseconds: number;
  readonly details: Readonly<Record<string, string>>;
}

/**
 * Opens a connection on which the next byte is for LDAP: over `ldaps://`, by StartTLS, or in clear text where that is
 * configured. The certificate is verified in any case.
 *
 * @throws {DirectoryError} of kind `connect` or `aborted`; then nothing stays open.
 */
export async function openSocket(
  address: ServerAddress,
  settings: ConnectSettings,
  signal: AbortSignal,
  observe: (step: ConnectStep) => void = () => {},
): Promise<Socket> {
  if (signal.aborted) throw aborted();
  const { connectTimeout } = settings;
  const raw = connect({ host: address.host, port: address.port, keepAlive: true, keepAliveInitialDelay: 30_000 });
  const failure = Promise.withResolvers<never>();
  failure.promise.catch(() => {});
  const onError = (error: unknown): void => failure.reject(connectError(error));
  const onClose = (): void =>
    failure.reject(new DirectoryError("connect", "the server has closed the connection", { transient: true }));
  const onAbort = (): void => failure.reject(aborted());
  const timer = setTimeout(
    () => failure.reject(new DirectoryError("connect", `not connected within ${connectTimeout} ms`, { slow: true })),
    connectTimeout,
  );
  signal.addEventListener("abort", onAbort, { once: true });
  raw.on("error", onError);
  raw.on("close", onClose);
  let open: Socket = raw;
  let since = performance.now();
  const took = (): number => {
    const start = since;
    since = performance.now();
    return since - start;
  };
  try {
    await Promise.race([event(raw, "connect"), failure.promise]);
    observe({ step: "connect", milliseconds: took(), details: { address: raw.remoteAddress ?? "" } });
    const secure = address.ldaps || settings.startTLS;
    if (!address.ldaps && settings.startTLS) {
      await Promise.race([startTls(raw), failure.promise]);
      observe({ step: "start-tls", milliseconds: took(), details: {} });
    }
    if (!secure) return raw;
    const tls = tlsConnect({
      socket: raw,
      secureContext: settings.secureContext(),
      ...expectedName(address, settings),
    });
    open = tls;
    tls.on("error", onError);
    await Promise.race([event(tls, "secureConnect"), failure.promise]);
    if (!tls.authorized) throw new DirectoryError("connect", "the server certificate could not be verified");
    observe({ step: "tls", milliseconds: took(), details: describeTls(tls) });
    return tls;
  } catch (error) {
    open.destroy();
    raw.destroy();
    throw error instanceof DirectoryError ? error : connectError(error);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", onAbort);
    raw.off("close", onClose);
    // The listeners for errors stay: a socket without one would end the process.
  }
}

/** The certificate must bear `servername`, or `host` where that is an address (RFC 4513, section 3.1.3). */
function expectedName(
  { host }: ServerAddress,
  { serverName = host }: ConnectSettings,
): { servername?: string; host: string } {
  return isIP(serverName) === 0 ? { servername: serverName, host: serverName } : { host: serverName };
}

function event(socket: Socket, name: string): Promise<void> {
  return new Promise((resolve) => socket.once(name, () => resolve()));
}

function connectError(error: unknown): DirectoryError {
  if (error instanceof DirectoryError) return error;
  return new DirectoryError("connect", `cannot be reached: ${describeCause(error)}`, {
    transient: isRefusal(error),
    cause: error,
  });
}

function describeTls(socket: TLSSocket): Readonly<Record<string, string>> {
  const { subject, subjectaltname, valid_to } = socket.getPeerCertificate();
  const name = subject?.CN;
  return {
    protocol: socket.getProtocol() ?? "",
    cipher: socket.getCipher().name,
    ...(typeof name === "string" && { certificate: name }),
    ...(subjectaltname !== undefined && { names: subjectaltname }),
    validTo: valid_to,
  };
}
