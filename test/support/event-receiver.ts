import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http";
import { createServer as createTlsServer, type ServerOptions } from "node:https";
import type { AddressInfo } from "node:net";

/** A notification in an envelope. */
export interface ReceivedEvent {
  readonly id: string;
  readonly timestamp: string;
  readonly action: string;
  readonly target: Readonly<Record<string, unknown>>;
  readonly request: Readonly<Record<string, unknown>>;
  readonly actor: Readonly<Record<string, unknown>>;
  readonly source: Readonly<Record<string, unknown>>;
}

/** A request that came in whole. */
export interface Received {
  readonly path: string | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly events: readonly ReceivedEvent[];
  /** On the monotonic clock, in milliseconds. */
  readonly at: number;
}

/** A server that takes notifications. */
export interface EventReceiver {
  readonly url: string;
  readonly port: number;
  readonly received: readonly Received[];
  /** Decides how it responds from now on. Default: 200. */
  respond(how: (response: ServerResponse, received: Received) => void): void;
  close(): Promise<void>;
}

/** @param tls The certificate; without it, plain HTTP. */
export async function startEventReceiver({
  port = 0,
  tls,
}: {
  readonly port?: number;
  readonly tls?: ServerOptions;
} = {}): Promise<EventReceiver> {
  const received: Received[] = [];
  let how = (response: ServerResponse, _: Received): void => void response.end();
  const handle: Parameters<typeof createServer>[1] = async (request, response) => {
    response.on("error", () => {});
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of request) chunks.push(chunk);
    } catch {
      return;
    }
    const body = Buffer.concat(chunks).toString("utf8");
    const { events = [] }: { readonly events?: readonly ReceivedEvent[] } = JSON.parse(body);
    const entry = { path: request.url, headers: request.headers, body, events, at: performance.now() };
    received.push(entry);
    how(response, entry);
  };
  const server = tls === undefined ? createServer(handle) : createTlsServer(tls, handle);
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  const address = server.address() as AddressInfo;
  return {
    url: `${tls === undefined ? "http" : "https"}://127.0.0.1:${address.port}/hook`,
    port: address.port,
    received,
    respond(next) {
      how = next;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
