import { type AgentOptions, type ClientRequest, type ClientRequestArgs, Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import { isIP } from "node:net";
import type { Duplex } from "node:stream";
import { linkedNode } from "@registry-gate/auth-kit";
import type { ConnectionLimit } from "../connection-limit.ts";
import { watchConnection } from "../limit-connecting.ts";

export interface UpstreamAgentOptions {
  /** The registry's host and port, for published events. */
  readonly upstream: string;
  readonly secure: boolean;
  /** The registry's host name or address, which its certificate must match, whatever `Host` the client sent. */
  readonly host: string;
  readonly connectTimeout: number;
  readonly ca: string | undefined;
  /** Whether connections are kept for the next request. */
  readonly keepAlive: boolean;
  /** How long a connection is kept, in milliseconds. */
  readonly idleTimeout: number;
  readonly maxIdle: number;
}

/** The key of a connection's owner, on the headers of a request. A symbol, so that it is not sent as a header. */
export const connectionKey: unique symbol = Symbol("connection key");

/**
 * Connects to the registry with a connect timeout. A kept connection is reused for requests with the same {@link
 * connectionKey} only, and is closed where the registry sends unrequested bytes.
 */
export function upstreamAgent(options: UpstreamAgentOptions, limit: ConnectionLimit): HttpAgent | HttpsAgent {
  const { upstream, secure, host, connectTimeout, ca, keepAlive, idleTimeout, maxIdle } = options;
  const agentOptions: AgentOptions = { keepAlive, maxFreeSockets: maxIdle, scheduling: "lifo", timeout: idleTimeout };
  const agent = secure
    ? new HttpsAgent({ ...agentOptions, servername: isIP(host) === 0 ? host : "", ...(ca === undefined ? {} : { ca }) })
    : new HttpAgent(agentOptions);

  const nameOf = agent.getName.bind(agent);
  agent.getName = (request) => `${nameOf(request)}:${keyOf(request)}`;

  const connect = agent.createConnection.bind(agent);
  agent.createConnection = (...parameters) => {
    limit.opening();
    const socket = connect(...parameters);
    if (socket === null || socket === undefined) {
      limit.closed();
      return socket;
    }
    watchConnection(socket, { upstream, secure, connectTimeout }, () => limit.closed());
    return socket;
  };

  const releases = new WeakMap<Duplex, () => void>();
  const keep = agent.keepSocketAlive.bind(agent);
  // The return value is documented, but missing in the types (https://nodejs.org/api/http.html, agent.keepSocketAlive).
  agent.keepSocketAlive = (socket) => {
    if (socket.readableLength > 0) return false;
    const destroy = (): void => void socket.destroy();
    socket.on("data", destroy);
    const waiting = linkedNode({ destroy });
    limit.idle(waiting);
    const release = (): void => {
      limit.busy(waiting);
      socket.off("data", destroy);
      socket.off("close", release);
    };
    releases.set(socket, release);
    socket.once("close", release);
    return keep(socket);
  };
  const reuse = agent.reuseSocket.bind(agent);
  agent.reuseSocket = (socket: Duplex, request: ClientRequest) => {
    releases.get(socket)?.();
    releases.delete(socket);
    reuse(socket, request);
  };
  return agent;
}

function keyOf(request: ClientRequestArgs | undefined): string {
  const headers = request?.headers;
  return headers !== undefined && headers !== null && connectionKey in headers ? String(headers[connectionKey]) : "";
}
