import { once } from "node:events";
import { createServer, request as httpRequest, type IncomingHttpHeaders, type IncomingMessage } from "node:http";
import { type Duplex, duplexPair } from "node:stream";
import type { Identity } from "@registry-gate/auth";
import type { RegistryProxy, RequestClient } from "@registry-gate/core";
import type { Sessions } from "../sessions/sessions.ts";

/** In whose name the registry is asked, and from where they have come. */
export interface Caller {
  readonly identity: Identity;
  readonly client: RequestClient;
}

/** A request to the registry. */
export interface RegistryRequest {
  /** Default `GET`. */
  readonly method?: "GET" | "HEAD" | "DELETE" | "PUT";
  /** Such as `/v2/team/app/tags/list`. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer;
}

/** A response of the registry, or of the gate in front of it. */
export interface RegistryResponse {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** Asks the registry through the gate, so that every rule, record and limit counts as it does for docker. */
export interface RegistryClient {
  /**
   * @throws {Error} where the response is longer than a page can need, and what the signal gives as its reason.
   */
  ask(caller: Caller, request: RegistryRequest, signal: AbortSignal): Promise<RegistryResponse>;
}

/** Above the longest manifest that registries accept, which is 4 MiB. */
const longestBody = 8 * 1024 * 1024;

/**
 * Makes a client that speaks HTTP to the middleware over a connection within the process, which is vouched for as the caller's:
 * pages see and do what the caller may, and nothing else.
 */
export function registryClient(registry: RegistryProxy, sessions: Pick<Sessions, "vouch">): RegistryClient {
  const server = createServer((request, response) => registry(request, response));
  registry.attach(server, (request, response) => registry(request, response));
  return {
    async ask({ identity, client }, { method = "GET", path, headers, body }, signal) {
      signal.throwIfAborted();
      const [near, far] = duplexPair();
      // What the gate learns of its clients is what the socket says.
      Object.assign(far, { remoteAddress: client.address }, client.scheme === "https" && { encrypted: true });
      sessions.vouch(far, identity);
      server.emit("connection", far);
      const request = httpRequest({
        createConnection: () => near,
        method,
        path,
        headers: {
          host: client.host,
          "user-agent": "registry-gate-portal",
          // The page's own request was judged when it came.
          "sec-fetch-site": "same-origin",
          ...(body !== undefined && { "content-length": String(body.length) }),
          ...headers,
        },
        signal,
      });
      try {
        request.end(body);
        const [response]: [IncomingMessage] = await responseOf(request);
        return { status: response.statusCode ?? 0, headers: response.headers, body: await bodyOf(response) };
      } finally {
        end(near, far);
      }
    },
  };
}

async function responseOf(request: ReturnType<typeof httpRequest>): Promise<[IncomingMessage]> {
  const [response] = await once(request, "response");
  return [response];
}

async function bodyOf(response: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of response) {
    length += chunk.length;
    if (length > longestBody) throw new Error(`the registry's response is longer than ${longestBody} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function end(...sides: readonly Duplex[]): void {
  for (const side of sides) side.destroy();
}
