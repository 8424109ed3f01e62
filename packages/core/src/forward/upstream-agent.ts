import { type AgentOptions, Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import { limitConnecting } from "./limit-connecting.ts";

export interface UpstreamAgentOptions {
  readonly secure: boolean;
  readonly connectTimeout: number;
  readonly ca: string | undefined;
  /** Whether connections are kept for the next request. */
  readonly keepAlive: boolean;
}

/**
 * An idle connection is given up after this many milliseconds: early enough that a request seldom meets one that the
 * registry is just closing.
 */
export const idleTimeout = 15_000;
/** Enough to keep for a busy gate; the number of connections in use is not limited, so that no pull waits for another. */
export const mostIdle = 256;

/** Connects to the registry, with a limit on the time that connecting takes. */
export function upstreamAgent(options: UpstreamAgentOptions): HttpAgent | HttpsAgent {
  const { secure, connectTimeout, ca, keepAlive } = options;
  const agentOptions: AgentOptions = { keepAlive, maxFreeSockets: mostIdle, scheduling: "lifo", timeout: idleTimeout };
  const agent = secure
    ? new HttpsAgent({ ...agentOptions, ...(ca === undefined ? {} : { ca }) })
    : new HttpAgent(agentOptions);
  const connect = agent.createConnection.bind(agent);
  agent.createConnection = (...parameters) => {
    const socket = connect(...parameters);
    if (socket !== null && socket !== undefined)
      limitConnecting(socket, secure ? "secureConnect" : "connect", connectTimeout);
    return socket;
  };
  return agent;
}
