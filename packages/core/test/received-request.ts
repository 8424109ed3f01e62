import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import { duplexPair } from "node:stream";

export interface Head {
  readonly method?: string;
  readonly target?: string;
  readonly version?: "0.9" | "1.0" | "1.1" | "2.0";
  /** Names and values as they stand on the wire; where no Host is among them, one is added. */
  readonly headers?: readonly (readonly [name: string, value: string])[];
  /** Whether it is read by a parser that takes what it should not (`--insecure-http-parser`). */
  readonly lenient?: boolean;
  /** Of the peer; none for a Unix socket. */
  readonly address?: string;
}

/** The head of a request as Node's own server reads it, from a connection that is not there. */
export async function receivedRequest(head: Head = {}): Promise<IncomingMessage> {
  const { method = "GET", target = "/v2/", version = "1.1", headers = [], address, lenient = false } = head;
  const lines = headers.map(([name, value]) => `${name}: ${value}`);
  if (!headers.some(([name]) => name.toLowerCase() === "host")) lines.unshift("Host: registry.example.com");
  const server = createServer({ requireHostHeader: false, insecureHTTPParser: lenient, maxHeaderSize: 65_536 });
  const [near, far] = duplexPair();
  if (address !== undefined) Object.assign(near, { remoteAddress: address });
  const requested = once(server, "request");
  server.on("checkContinue", (...parameters) => server.emit("request", ...parameters));
  server.on("checkExpectation", (...parameters) => server.emit("request", ...parameters));
  server.once("clientError", (error) => server.emit("error", error));
  server.emit("connection", near);
  far.write(`${[`${method} ${target} HTTP/${version}`, ...lines].join("\r\n")}\r\n\r\n`);
  const [request]: IncomingMessage[] = await requested;
  if (request === undefined) throw new Error("no request was received");
  return request;
}
