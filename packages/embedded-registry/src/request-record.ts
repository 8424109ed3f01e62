import type { ServerResponse } from "node:http";
import { IncomingMessage } from "node:http";
import type { Socket } from "node:net";

/** A request that the registry saw, and goes on seeing: the counts grow while it runs. */
export interface RecordedRequest {
  readonly method: string;
  /** The request target, raw. */
  readonly url: string;
  /** Names and values in turn, as they came. */
  readonly rawHeaders: readonly string[];
  /** Numbers the connections from 1, so that a test sees which requests shared one. */
  readonly connection: number;
  /** How many bytes of body arrived, without their framing, whether or not anybody read them. */
  readonly bytes: number;
  /** Whether the request arrived whole. */
  readonly complete: boolean;
  /** Undefined until an answer was sent whole. */
  readonly status: number | undefined;
}

/** A request that counts what arrives of its body. */
export class CountedRequest extends IncomingMessage {
  bodyBytes = 0;

  override push(chunk: unknown, encoding?: BufferEncoding): boolean {
    if (chunk instanceof Uint8Array) this.bodyBytes += chunk.byteLength;
    return super.push(chunk, encoding);
  }
}

export interface RequestLog {
  /** The oldest first. */
  readonly requests: readonly RecordedRequest[];
  add(request: CountedRequest, response: ServerResponse): void;
}

/** Keeps the last `limit` requests. */
export function createRequestLog(limit: number): RequestLog {
  const requests: RecordedRequest[] = [];
  const numbers = new WeakMap<Socket, number>();
  let connections = 0;
  return {
    requests,
    add(request, response) {
      const connection = numbers.get(request.socket) ?? ++connections;
      numbers.set(request.socket, connection);
      requests.push({
        method: request.method ?? "",
        url: request.url ?? "",
        rawHeaders: request.rawHeaders,
        connection,
        get bytes() {
          return request.bodyBytes;
        },
        get complete() {
          return request.complete;
        },
        get status() {
          return response.writableFinished ? response.statusCode : undefined;
        },
      });
      if (requests.length > limit) requests.shift();
    },
  };
}
