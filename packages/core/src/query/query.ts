import type { ResponseHead, Transport, TransportFailure } from "../forward/transport.ts";
import { reasonOf, UpstreamFault } from "../forward/upstream-fault.ts";
import type { ErrorResponse } from "../respond/error-response.ts";
import { registryLogin, upstreamOverloaded, upstreamUnreachable } from "../respond/responses.ts";

/** A request of the gate itself to the registry, made before it can respond to a client. */
export interface UpstreamQuery {
  readonly method: "GET" | "HEAD";
  /** A request target: path and query. */
  readonly target: string;
  readonly accept: string;
  /** The maximum length of the body, in bytes. */
  readonly maxBytes: number;
  /** The client whose request needs it, and in whose queue it waits. Nothing of the client is sent. */
  readonly clientKey: string;
  /** Another request of this client holds a connection and waits for this one. */
  readonly urgent?: boolean;
}

/** A short response of the registry, with its body. */
export interface QueryResponse {
  readonly status: number;
  /** By names in lower case; duplicate fields are joined with commas. */
  readonly headers: NodeJS.Dict<string>;
  readonly body: string;
}

/** The body is longer than the limit. */
class ResponseTooLongError extends Error {
  override readonly name = "ResponseTooLongError";
}

/** The connection key of the gate's own requests. */
const connectionKey = "gate";

/**
 * @throws {UpstreamFault} when the registry is unreachable or silent, or its response is too long. When `signal`
 * aborts, its reason.
 */
export function query(
  transport: Transport,
  host: string,
  { method, target, accept, maxBytes, clientKey, urgent = false }: UpstreamQuery,
  signal: AbortSignal,
): Promise<QueryResponse> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const chunks: Buffer[] = [];
    let length = 0;
    let head: ResponseHead | undefined;
    const abort = (): void => {
      transfer.abort();
      reject(signal.reason);
    };
    const transfer = transport.send(
      {
        method,
        target,
        headers: { host, accept },
        body: undefined,
        connectionKey,
        clientKey,
        urgent,
        route: undefined,
      },
      {
        head(received) {
          head = received;
        },
        chunk(chunk, consumed) {
          length += chunk.length;
          if (length > maxBytes) fail(new ResponseTooLongError(`more than ${maxBytes} bytes`));
          else chunks.push(Buffer.from(chunk));
          consumed?.();
          return true;
        },
        flush() {},
        end() {
          signal.removeEventListener("abort", abort);
          const { statusCode = 502, headers = {} } = head ?? {};
          resolve({ status: statusCode, headers: joined(headers), body: Buffer.concat(chunks).toString("utf8") });
        },
        failed({ kind, error }) {
          signal.removeEventListener("abort", abort);
          reject(new UpstreamFault(responseTo(kind), reasonOf(error), { cause: error }));
        },
      },
    );
    const fail = (error: Error): void => {
      // The transfer may still be starting.
      setImmediate(() => transfer.abort());
      signal.removeEventListener("abort", abort);
      reject(new UpstreamFault(upstreamUnreachable, reasonOf(error), { cause: error }));
    };
    signal.addEventListener("abort", abort, { once: true });
  });
}

function responseTo(kind: TransportFailure["kind"]): ErrorResponse {
  if (kind === "login") return registryLogin;
  return kind === "overloaded" ? upstreamOverloaded : upstreamUnreachable;
}

function joined(headers: ResponseHead["headers"]): NodeJS.Dict<string> {
  const result: NodeJS.Dict<string> = Object.create(null);
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) result[name] = typeof value === "string" ? value : value.join(", ");
  }
  return result;
}
