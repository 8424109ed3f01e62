import type { ResponseSink, Transfer, Transport, UpstreamRequest } from "../transport.ts";
import type { ReadConnection } from "./read-connection.ts";
import type { ReadPool } from "./read-pool.ts";
import { requestHead } from "./request-head.ts";

/** Whether {@link directTransport} can send the request. */
export function isRead({ method, body }: UpstreamRequest): boolean {
  return body === undefined && (method === "GET" || method === "HEAD");
}

/** Sends GET and HEAD without a body by plain HTTP, on its own connections. */
export function directTransport(pool: ReadPool): Transport {
  return {
    send(request, sink, { fresh = false } = {}) {
      const { method, target, headers, connectionKey } = request;
      if (method !== "GET" && method !== "HEAD") throw new TypeError(`the direct transport does not send ${method}`);
      const sent = { method, head: requestHead(method, target, headers) } as const;
      let connection: ReadConnection | undefined;
      let over = false;
      const transfer: Transfer = {
        resume: () => connection?.resume(),
        abort() {
          if (over) return;
          over = true;
          connection?.destroy();
        },
      };
      const finishing: ResponseSink = {
        head: (head) => sink.head(head),
        chunk: (chunk, consumed) => sink.chunk(chunk, consumed),
        flush: () => sink.flush(),
        end() {
          over = true;
          sink.end();
        },
        failed(failure) {
          over = true;
          sink.failed(failure);
        },
      };
      const start = (on: ReadConnection): void => {
        connection = on;
        on.send(sent, finishing);
      };
      if (fresh || !pool.hasIdle(connectionKey)) {
        start(pool.open(connectionKey));
      } else {
        // Pending input on idle connections is read first: only a silent, open one is reused.
        setImmediate(() => {
          if (!over) start(pool.take(connectionKey) ?? pool.open(connectionKey));
        });
      }
      return transfer;
    },
    close: () => pool.close(),
  };
}
