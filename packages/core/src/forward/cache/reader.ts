import type { CacheResult } from "../../observe/record.ts";
import type { ResponseSink, Transfer, UpstreamRequest } from "../transport.ts";
import { headOf, type KeptResponse, namesEntityTag, notModifiedHead } from "./kept-response.ts";

/** A request that waits for a response which may be kept. */
export interface Reader {
  readonly request: UpstreamRequest;
  readonly sink: ResponseSink;
  /** Its `If-None-Match`. */
  readonly condition: string | undefined;
  /** How often it has waited in vain, or waits, for the response to another request. */
  joins: number;
  /** It was aborted, or has its response. */
  over: boolean;
  /** What it waits for. */
  current: Transfer | undefined;
}

/** Sends a kept response: whole, without its body, or 304. */
export function deliver(reader: Reader, response: KeptResponse, result: CacheResult): void {
  const { request, sink, condition } = reader;
  if (condition !== undefined && namesEntityTag(condition, response.etag)) {
    sink.head(notModifiedHead(response, result));
  } else {
    sink.head(headOf(response, result));
    if (!reader.over && request.method !== "HEAD" && response.body.length > 0) sink.chunk(response.body);
  }
  if (reader.over) return;
  reader.over = true;
  sink.end();
}

/** How many are served before others get their turn. */
const batch = 32;

/** Acts on many readers, a few in each turn of the event loop. */
export function inTurns(readers: readonly Reader[], action: (reader: Reader) => void): void {
  let next = 0;
  const turn = (): void => {
    for (const reader of readers.slice(next, next + batch)) if (!reader.over) action(reader);
    next += batch;
    if (next < readers.length) setImmediate(turn);
  };
  turn();
}
