import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from "node:http";
import { Problem } from "./problem.ts";

/** One request and its answer, as the routes see it. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly query: URLSearchParams;
  /** Goes before the path of a `Location`; empty where locations are relative. */
  readonly origin: string;
  /** How the next page of a listing is named. */
  readonly pages: "last" | "opaque";
  /** What `Location` says of an upload. */
  readonly uploads: "distribution" | "opaque";
  /** The body, in chunks as they come. Reading it sends `100 Continue` to a client that waits for it. */
  body(): AsyncIterable<Uint8Array>;
}

/** The whole body, of at most `limit` bytes. Throws a 413 problem beyond that. */
export async function readWhole(exchange: Exchange, limit: number): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of exchange.body()) {
    size += chunk.byteLength;
    if (size > limit) throw new Problem(413, "SIZE_INVALID", `more than ${limit} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, size);
}

/** Answers with `value` as JSON. */
export function sendJson(exchange: Exchange, value: unknown, headers: OutgoingHttpHeaders = {}): void {
  const body = `${JSON.stringify(value)}\n`;
  exchange.response.writeHead(200, {
    "content-type": "application/json; charset=utf-8",
    "content-length": Buffer.byteLength(body),
    ...headers,
  });
  exchange.response.end(body);
}

/** Answers without a body. */
export function sendEmpty(exchange: Exchange, status: number, headers: OutgoingHttpHeaders = {}): void {
  const length = status === 204 || status === 304 ? {} : { "content-length": 0 };
  exchange.response.writeHead(status, { ...length, ...headers });
  exchange.response.end();
}

/** Whether the client already has what `etag` names (RFC 9110, section 13.1.2). */
export function alreadyHeld(exchange: Exchange, etag: string): boolean {
  const header = exchange.request.headers["if-none-match"];
  if (header === undefined) return false;
  return header.split(",").some((candidate) => ["*", etag, `W/${etag}`].includes(candidate.trim()));
}
