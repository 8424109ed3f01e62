import { once } from "node:events";
import { type ClientRequest, createServer, request as httpRequest, type IncomingMessage } from "node:http";
import { type Duplex, duplexPair } from "node:stream";
import type { Identity } from "@registry-gate/auth";
import type { RegistryProxy, RequestClient } from "@registry-gate/core";
import type { Sessions } from "../sessions/sessions.ts";

/** In whose name the registry is asked, and from where they have come. */
export interface Caller {
  readonly identity: Identity;
  readonly client: RequestClient;
}

/** Changes the registry through the gate, so that every rule, record and limit counts as it does for docker. */
export interface RegistryClient {
  /**
   * Deletes.
   *
   * @param path Such as `/v2/team/app/manifests/1.0`.
   * @returns the status of the response, of the registry or of the gate in front of it.
   * @throws what the signal gives as its reason.
   */
  delete(caller: Caller, path: string, signal: AbortSignal): Promise<number>;
}

/**
 * Makes a client that speaks HTTP to the middleware over a connection within the process, which is vouched for as the caller's:
 * pages see and do what the caller may, and nothing else.
 */
export function registryClient(registry: RegistryProxy, sessions: Pick<Sessions, "vouch">): RegistryClient {
  const server = createServer((request, response) => registry(request, response));
  registry.attach(server, (request, response) => registry(request, response));
  return {
    async delete({ identity, client }, path, signal) {
      signal.throwIfAborted();
      const [near, far] = duplexPair();
      // What the gate learns of its clients is what the socket says.
      Object.assign(far, { remoteAddress: client.address }, client.scheme === "https" && { encrypted: true });
      sessions.vouch(far, identity);
      server.emit("connection", far);
      const request = httpRequest({
        createConnection: () => near,
        method: "DELETE",
        path,
        headers: {
          host: client.host,
          "user-agent": "registry-gate-portal",
          // The page's own request was judged when it came.
          "sec-fetch-site": "same-origin",
        },
        signal,
      });
      try {
        request.end();
        return await statusOf(request);
      } finally {
        end(near, far);
      }
    },
  };
}

async function statusOf(request: ClientRequest): Promise<number> {
  const [response]: IncomingMessage[] = await once(request, "response");
  return response?.statusCode ?? 0;
}

function end(...sides: readonly Duplex[]): void {
  for (const side of sides) side.destroy();
}
