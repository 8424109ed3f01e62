import type { RequestBody, ResponseSink, Transfer } from "../transport.ts";
import type { BodySender } from "./body-sender.ts";
import type { FramedRequest } from "./request-head.ts";

/** What an exchange needs of its connection. */
export interface ExchangeConnection {
  /** The sink of the exchange accepts more data. */
  resume(exchange: Exchange): void;
  destroy(): void;
}

/** A request with its response in progress. A class, so that a request allocates no functions. */
export class Exchange implements Transfer {
  readonly request: FramedRequest;
  readonly body: RequestBody | undefined;
  readonly sink: ResponseSink;
  /** The owner of the request, of whom the connection must be. */
  readonly connectionKey: string;
  /** The connection that it is sent on, once there is one. */
  connection: ExchangeConnection | undefined;
  sender: BodySender | undefined;
  /** A byte of a response has arrived. */
  heard = false;
  /** The sink accepts no more data at the moment. */
  full = false;
  /** The response is complete, or has failed, or the request was aborted. */
  over = false;

  constructor(request: FramedRequest, body: RequestBody | undefined, sink: ResponseSink, connectionKey: string) {
    this.request = request;
    this.body = body;
    this.sink = sink;
    this.connectionKey = connectionKey;
  }

  resume(): void {
    if (!this.over) this.connection?.resume(this);
  }

  abort(): void {
    if (this.over) return;
    this.over = true;
    this.connection?.destroy();
  }
}
