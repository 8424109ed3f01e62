import { endAnswer } from "../../answer/end-answer.ts";
import type { Exchange } from "../exchange.ts";
import { SilentUpstreamError } from "../silent-upstream-error.ts";
import type { AnswerTaker, ReadConnection } from "./read-connection.ts";
import type { ReadPool } from "./read-pool.ts";
import { requestHead } from "./request-head.ts";

/**
 * Sends a request without a body to the registry and streams the answer to the client, as fast as the client takes it.
 *
 * The registry may have closed a kept connection just when it was taken. Nothing was answered, and asking again changes
 * nothing, so the request is sent once more, on a new connection (RFC 9110, section 9.2.2).
 */
export function forwardRead(pool: ReadPool, method: "GET" | "HEAD", exchange: Exchange): void {
  const { request, response, bytes } = exchange;
  const sent = { method, head: requestHead(method, exchange.target, exchange.headers) };
  let connection: ReadConnection;
  let answered = false;
  let over = false;
  let waiting = false;

  const resume = (): void => {
    waiting = false;
    connection.resume();
  };
  const taker: AnswerTaker = {
    head(head) {
      exchange.answered(head);
      answered = true;
    },
    body(piece, taken) {
      bytes.sent += piece.length;
      const more = response.write(piece, taken);
      if (!more && !waiting) {
        waiting = true;
        response.once("drain", resume);
      }
      return more;
    },
    caughtUp() {
      // The client learns of an answer whose body lets wait for itself.
      if (answered && !response.headersSent) response.flushHeaders();
    },
    complete() {
      over = true;
      endAnswer(request, response);
    },
    failed(error, heard) {
      if (connection.used && !heard && !(error instanceof SilentUpstreamError)) {
        attempt(pool.fresh());
        return;
      }
      over = true;
      // What has begun cannot be taken back: the client must see that it is not whole.
      if (answered) response.destroy();
      else exchange.failed(error instanceof SilentUpstreamError ? "silent" : "unreachable", error);
    },
  };

  function attempt(on: ReadConnection): void {
    connection = on;
    on.send(sent, taker);
  }

  if (response.destroyed) return;
  response.once("close", () => {
    if (!over) connection.destroy();
  });
  attempt(pool.take());
}
