import { type ClientRequest, request as httpRequest, type IncomingHttpHeaders, type IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import type { PeerCertificate } from "node:tls";
import { refuseUpgrade } from "@registry-gate/auth-kit";

/** How a server is reached and trusted. */
export interface Connection {
  /** The certificates to trust, in PEM. Default: those of Node. */
  readonly ca?: readonly string[];
  /** Whether a certificate of `ca` is trusted though it is no authority's. */
  readonly allowPartialTrustChain?: boolean;
  readonly checkServerIdentity?: (host: string, certificate: PeerCertificate) => Error | undefined;
  /** In place of host and port. */
  readonly socketPath?: string;
  /** False where nothing secret is sent, and whose certificate it is makes no difference. */
  readonly rejectUnauthorized?: boolean;
}

export interface ExchangeOptions {
  readonly method: string;
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer | string;
  /** Sends the body in its own way, in place of `body`. */
  readonly send?: (outgoing: Outgoing) => Promise<void>;
  readonly connection: Connection;
  readonly signal: AbortSignal;
  /** In milliseconds. Default 60 000. */
  readonly timeLimit?: number;
}

/** A request whose head has been handed over. After the response has begun, nothing more is sent. */
export interface Outgoing {
  write(chunk: Buffer): Promise<void>;
  /** Whether a response begins, or the connection ends, within so many milliseconds. */
  responds(within: number): Promise<boolean>;
  /** Whether `100 Continue`, a response or the end of the connection comes within so many milliseconds. */
  continues(within: number): Promise<boolean>;
}

/** A response, read to its end. */
export interface Exchange {
  readonly method: string;
  readonly url: URL;
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly httpVersion: string;
  /** Up to {@link longestBody}. */
  readonly body: Buffer;
  /** When the head of the response came, by this machine's clock. */
  readonly at: number;
}

/** No response was received. */
export class ExchangeError extends Error {
  override readonly name = "ExchangeError";
  /** A code of Node or OpenSSL, such as `ECONNREFUSED`; `TIMEOUT` after the time limit. */
  readonly code: string;
  /** Whether the connection had been established, TLS included. */
  readonly connected: boolean;
  /** What came in place of a response. */
  readonly received: Buffer;

  constructor(message: string, code: string, connected: boolean, received: Buffer, cause: unknown) {
    super(message, { cause });
    this.code = code;
    this.connected = connected;
    this.received = received;
  }
}

/** As much of a body as is kept, in bytes: more than the trial image has. */
const longestBody = 1024 * 1024;
/** A front may refuse old and unknown clients by this. */
const agent = "docker/28.0.0 registry-gate-doctor";

/**
 * Sends a request on a connection of its own and reads the response.
 *
 * @throws {ExchangeError} where there is none.
 */
export function exchange(options: ExchangeOptions): Promise<Exchange> {
  const { method, url, headers = {}, body, send, connection, signal, timeLimit = 60_000 } = options;
  const limited = AbortSignal.any([signal, AbortSignal.timeout(timeLimit)]);
  const request = url.protocol === "https:" ? httpsRequest : httpRequest;
  const { promise, resolve, reject } = Promise.withResolvers<Exchange>();
  const begun = Promise.withResolvers<void>();
  const continued = Promise.withResolvers<void>();
  let connected = false;
  let response: IncomingMessage | undefined;
  const length =
    typeof body === "string" || body instanceof Buffer ? { "Content-Length": Buffer.byteLength(body) } : {};
  const { ca, ...reached } = connection;
  const outgoing = request(url, {
    ...reached,
    ...(ca !== undefined && { ca: [...ca] }),
    method,
    agent: false,
    headers: { "User-Agent": agent, Accept: "*/*", ...length, ...headers },
    signal: limited,
  });
  const fail = (error: NodeJS.ErrnoException): void => {
    begun.resolve();
    continued.resolve();
    reject(explained(error, connected, limited, signal));
  };
  outgoing.once("socket", (socket) => {
    socket.once(url.protocol === "https:" ? "secureConnect" : "connect", () => {
      connected = true;
    });
  });
  outgoing.once("continue", () => continued.resolve());
  outgoing.once("response", (incoming) => {
    response = incoming;
    begun.resolve();
    continued.resolve();
    const at = Date.now();
    const chunks: Buffer[] = [];
    let kept = 0;
    incoming.on("data", (chunk: Buffer) => {
      if (kept < longestBody) chunks.push(chunk);
      kept += chunk.length;
    });
    incoming.once("error", fail);
    incoming.once("end", () => {
      const { statusCode: status = 0, headers, httpVersion } = incoming;
      resolve({ method, url, status, headers, httpVersion, at, body: Buffer.concat(chunks) });
      // Of a request that was refused early, the rest is not sent.
      if (!outgoing.writableFinished) outgoing.destroy();
    });
  });
  outgoing.on("error", (error) => {
    if (response === undefined) fail(error);
  });
  refuseUpgrade(outgoing, fail);
  void sendBody(outgoing, { body, send, begun: begun.promise, continued: continued.promise });
  return promise;
}

interface Sending {
  readonly body: Buffer | string | undefined;
  readonly send: ((outgoing: Outgoing) => Promise<void>) | undefined;
  readonly begun: Promise<void>;
  readonly continued: Promise<void>;
}

async function sendBody(request: ClientRequest, { body, send, begun, continued }: Sending): Promise<void> {
  if (send === undefined) {
    request.end(body);
    return;
  }
  let over = false;
  void begun.then(() => {
    over = true;
  });
  request.flushHeaders();
  await send({
    async write(chunk) {
      if (over || request.destroyed) return;
      const written = new Promise<void>((resolve) => {
        request.write(chunk, () => resolve());
      });
      await Promise.race([written, begun]);
    },
    responds: (within) => happens(begun, within),
    continues: (within) => happens(continued, within),
  });
  if (!over) request.end();
}

async function happens(event: Promise<void>, within: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => resolve(false), within);
  void event.then(() => resolve(true));
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
  }
}

function explained(
  error: NodeJS.ErrnoException & { readonly rawPacket?: unknown },
  connected: boolean,
  limited: AbortSignal,
  signal: AbortSignal,
): ExchangeError {
  const received = Buffer.isBuffer(error.rawPacket) ? error.rawPacket : Buffer.alloc(0);
  if (signal.aborted) return new ExchangeError("interrupted", "ABORTED", connected, received, error);
  if (limited.aborted) return new ExchangeError("no response in time", "TIMEOUT", connected, received, error);
  // Of a name with several addresses, Node's error has a code alone.
  const message = error.message === "" ? (error.code ?? error.name) : error.message;
  return new ExchangeError(message, error.code ?? "", connected, received, error);
}
