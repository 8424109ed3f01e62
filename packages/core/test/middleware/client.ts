import { type Agent, request as httpRequest, type IncomingHttpHeaders, type OutgoingHttpHeaders } from "node:http";
import { Readable } from "node:stream";
import { alice } from "./servers.ts";

/** A request of alice's, where no other user is named. */
export interface Sent {
  /** Somebody else, as the header x-test-user names them; `null` for nobody. */
  readonly user?: string | null;
  readonly method?: string;
  readonly path: string;
  readonly headers?: OutgoingHttpHeaders;
  readonly body?: string | Uint8Array | Readable;
  /** By default the request has a connection of its own. */
  readonly agent?: Agent;
}

export interface ClientResponse {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** The client's port: the same for two requests on one connection. */
  readonly connection: number | undefined;
}

/** Rejects where the response does not come whole. */
export function send(port: number, sent: Sent): Promise<ClientResponse> {
  const { method = "GET", path, headers, body, agent = false, user } = sent;
  const { promise, resolve, reject } = Promise.withResolvers<ClientResponse>();
  const options = { host: "127.0.0.1", port, method, path, agent, headers: { ...loginOf(user), ...headers } };
  let answered = false;
  const request = httpRequest(options, (response) => {
    answered = true;
    const connection = response.socket.localPort;
    const chunks: Buffer[] = [];
    response.on("data", (chunk: Buffer) => chunks.push(chunk));
    response.once("error", reject);
    response.once("end", () => {
      const text = Buffer.concat(chunks).toString("utf8");
      resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text, connection });
    });
  });
  // A server that refuses a body may close while it is still being sent: what counts is whether its response came.
  request.on("error", (error) => {
    if (!answered) reject(error);
  });
  if (body === undefined || typeof body === "string" || body instanceof Uint8Array) request.end(body);
  else body.pipe(request);
  return promise;
}

function loginOf(user: string | null | undefined): OutgoingHttpHeaders {
  if (user === null) return {};
  return user === undefined ? { authorization: alice } : { "x-test-user": user };
}

/** The code of the error in a response of the gate's or the registry's. */
export function errorCode({ body }: ClientResponse): unknown {
  const parsed: unknown = JSON.parse(body);
  if (typeof parsed !== "object" || parsed === null || !("errors" in parsed) || !Array.isArray(parsed.errors))
    return body;
  const [first]: unknown[] = parsed.errors;
  return typeof first === "object" && first !== null && "code" in first ? first.code : first;
}

/** As many zeros, in chunks. */
export function zeros(bytes: number): Readable {
  const chunk = Buffer.alloc(65_536);
  return Readable.from(
    (function* () {
      for (let sent = 0; sent < bytes; sent += chunk.length) yield chunk;
    })(),
  );
}
