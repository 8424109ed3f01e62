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
  const { address, lenient = false } = head;
  const [request] = await receivedRequests([head], { lenient, ...(address !== undefined && { address }) });
  if (request === undefined) throw new Error("no request was received");
  return request;
}

/** The heads of requests that were sent on one connection. */
export async function receivedRequests(
  heads: readonly Omit<Head, "address" | "lenient">[],
  { address, lenient = false }: Pick<Head, "address" | "lenient"> = {},
): Promise<readonly IncomingMessage[]> {
  const server = createServer({ requireHostHeader: false, insecureHTTPParser: lenient, maxHeaderSize: 65_536 });
  const [near, far] = duplexPair();
  if (address !== undefined) Object.assign(near, { remoteAddress: address });
  const { promise, resolve, reject } = Promise.withResolvers<readonly IncomingMessage[]>();
  const received: IncomingMessage[] = [];
  const take = (request: IncomingMessage): void => {
    received.push(request);
    if (received.length === heads.length) resolve(received);
  };
  for (const event of ["request", "checkContinue", "checkExpectation"]) server.on(event, take);
  server.once("clientError", reject);
  server.emit("connection", near);
  far.write(heads.map(textOf).join(""));
  return promise;
}

function textOf({ method = "GET", target = "/v2/", version = "1.1", headers = [] }: Head): string {
  const lines = headers.map(([name, value]) => `${name}: ${value}`);
  if (!headers.some(([name]) => name.toLowerCase() === "host")) lines.unshift("Host: registry.example.com");
  return `${[`${method} ${target} HTTP/${version}`, ...lines].join("\r\n")}\r\n\r\n`;
}
