import { once } from "node:events";
import { type IncomingMessage, request as requestPlain } from "node:http";
import { request as requestSecure } from "node:https";

/** What stands in front of a registry on the loopback interface: a gate, or nginx. */
export interface Front {
  readonly port: number;
  /** The authority of its certificate, as PEM; absent for plain HTTP. */
  readonly authority?: string;
}

/** A request, for whichever front. */
export interface Ask {
  readonly method: string;
  /** The request target as it goes over the wire. */
  readonly target: string;
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  /** A text or bytes go with their length, a list in as many chunks. */
  readonly body?: string | Uint8Array | readonly string[];
}

/** A response, without what no two servers or no two uploads have in common. */
export interface Response {
  readonly status: number;
  /** Each header as often as it came. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** Whether the whole body came: docker-registry announces more than it sends in its responses to a wrong range. */
  readonly complete: boolean;
}

/** How the connection is handled, and who handles it, is a matter of each front. */
const connectionHeaders: ReadonlySet<string> = new Set([
  "connection",
  "date",
  "keep-alive",
  "server",
  "transfer-encoding",
]);

/** Asks on a connection of its own, as a client that calls the front `localhost` where `headers` have no other `Host`. */
export async function ask(front: Front, { method, target, headers, body }: Ask): Promise<IncomingMessage> {
  const { port, authority } = front;
  const options = {
    ...{ host: "127.0.0.1", port, agent: false, method, path: target },
    headers: { Host: `localhost:${port}`, ...copied(headers) },
  };
  const outgoing =
    authority === undefined
      ? requestPlain(options)
      : requestSecure({ ...options, servername: "localhost", ca: authority });
  const answered = once(outgoing, "response");
  const waits = Object.keys(headers).some((name) => name.toLowerCase() === "expect");
  if (waits) {
    outgoing.flushHeaders();
    // A front that refuses responds at once.
    await Promise.race([once(outgoing, "continue"), answered]);
  }
  if (typeof body === "string" || body instanceof Uint8Array) {
    if (!waits) outgoing.setHeader("Content-Length", Buffer.byteLength(body));
    outgoing.write(body);
  } else {
    for (const chunk of body ?? []) outgoing.write(chunk);
  }
  outgoing.end();
  const [response]: IncomingMessage[] = await answered;
  if (response === undefined) throw new Error("no response");
  return response;
}

/** Reads a response to its end. */
export async function read(front: Front, response: IncomingMessage): Promise<Response> {
  const chunks: Uint8Array[] = [];
  try {
    for await (const chunk of response) chunks.push(chunk);
  } catch (error) {
    if (response.complete) throw error;
  }
  const headers: Record<string, string> = {};
  for (let index = 0; index < response.rawHeaders.length; index += 2) {
    const name = response.rawHeaders[index]?.toLowerCase() ?? "";
    const value = resolved(name, impersonal(front, response.rawHeaders[index + 1] ?? ""));
    if (!connectionHeaders.has(name))
      headers[name] = headers[name] === undefined ? value : `${headers[name]}\n${value}`;
  }
  return {
    status: response.statusCode ?? 0,
    headers,
    body: impersonal(front, Buffer.concat(chunks).toString("latin1")),
    complete: response.complete,
  };
}

/** The same for both fronts: their own addresses, and the names that the registry makes up. */
function impersonal({ port }: Front, text: string): string {
  return text
    .replaceAll(`https://localhost:${port}/`, "https://front/")
    .replace(/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, "<uuid>")
    .replace(/(?<![0-9a-f])[0-9a-f]{60}(?![0-9a-f])/g, "<boundary>")
    .replace(/_state=[\w%=-]+/g, "_state=<state>");
}

/** Where a `Location` leads is what counts, whether it is absolute or relative (RFC 9110, section 10.2.2). */
function resolved(name: string, value: string): string {
  return name === "location" && value.startsWith("/") ? `https://front${value}` : value;
}

function copied(headers: Ask["headers"]): Record<string, string | string[]> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, typeof value === "string" ? value : [...value]]),
  );
}
