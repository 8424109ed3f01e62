import { connect, isIP, type OnReadOpts, type Socket } from "node:net";
import { connect as connectSecurely } from "node:tls";

export interface RegistryAddress {
  /** The registry's host name or address, which its certificate must match, whatever `Host` the client sent. */
  readonly host: string;
  readonly port: number;
  readonly secure: boolean;
  /** CA certificates in place of the system's, as PEM. */
  readonly ca: string | undefined;
}

/** Opens sockets to one registry, which read into the memory given. */
export type SocketOpener = (onread: OnReadOpts) => Socket;

/** TLS sessions are resumed: the latest one of the registry is offered to it (RFC 8446, section 2.2). */
export function socketOpener({ host, port, secure, ca }: RegistryAddress): SocketOpener {
  if (!secure) return (onread) => connect({ host, port, noDelay: true, keepAlive: true, onread });
  let session: Buffer | undefined;
  return (onread) => {
    const offered = session;
    // The option `onread` is of tls.connect, too, but missing in its types.
    const options = {
      host,
      port,
      servername: isIP(host) === 0 ? host : "",
      ALPNProtocols: ["http/1.1"],
      ...(ca !== undefined && { ca }),
      ...(offered !== undefined && { session: offered }),
      onread,
    };
    const socket = connectSecurely(options);
    socket.setNoDelay(true);
    socket.setKeepAlive(true);
    // Only of a registry whose certificate was accepted: Node does not compare its names again where a session is resumed.
    let accepted = false;
    let received: Buffer | undefined;
    socket.on("session", (latest: Buffer) => {
      received = latest;
      if (accepted) session = latest;
    });
    socket.once("secureConnect", () => {
      accepted = true;
      session = received ?? session;
    });
    // A session may be the reason of a failure.
    socket.once("error", () => {
      if (session === offered) session = undefined;
    });
    return socket;
  };
}
