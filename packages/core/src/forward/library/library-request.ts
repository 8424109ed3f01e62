import { type ClientRequest, IncomingMessage } from "node:http";
import { Socket } from "node:net";
import { releaseChunk } from "../release-chunk.ts";
import type { RequestBody, ResponseSink, UpstreamRequest } from "../transport.ts";
import { asError } from "../transport-errors.ts";
import { connectionKey } from "./upstream-agent.ts";

/** A placeholder for the client's socket, which the library reads; it is never connected. */
const noSocket = new Socket();

/**
 * The request that the proxy library receives in place of the client's. The client's own is neither visible to it nor
 * changed.
 */
export class LibraryRequest extends IncomingMessage {
  readonly sink: ResponseSink;
  readonly body: RequestBody | undefined;
  /** Set as soon as the request has a connection. */
  outgoing: ClientRequest | undefined;
  /** Set as soon as the registry responds. */
  incoming: IncomingMessage | undefined;
  /** Whether the sink was ended, or nobody waits for it any more. */
  over = false;
  /** Takes the body no more, so that whoever does can read it. */
  #leaveBody = (): void => {};

  constructor({ method, target, headers, body, connectionKey: key }: UpstreamRequest, sink: ResponseSink) {
    super(noSocket);
    this.method = method;
    this.url = target;
    this.httpVersion = "1.1";
    this.httpVersionMajor = 1;
    this.httpVersionMinor = 1;
    const named: IncomingMessage["headers"] = {};
    for (const [name, value] of Object.entries(headers)) {
      if (value !== undefined) named[name] = Array.isArray(value) ? value.join(", ") : String(value);
    }
    this.headers = Object.assign(named, { [connectionKey]: key });
    this.sink = sink;
    this.body = body;
  }

  /**
   * The response is complete, or there will be none. The rest of a body that is still on its way goes nowhere: it is left
   * to be dropped, and the connection, on which it is owed, is closed.
   */
  end(): void {
    this.over = true;
    this.#leaveBody();
    if (this.outgoing?.writableFinished === false) this.outgoing.destroy();
  }

  /** Called by the library to send the body. The memory of each chunk is freed as soon as it is written. */
  override pipe<T extends NodeJS.WritableStream>(destination: T): T {
    const { body } = this;
    if (body === undefined) {
      destination.end();
      return destination;
    }
    const { source, mayEnd } = body;
    /** The last chunk, held back until the request may end: without it the body is incomplete, whatever its framing. */
    let last: Buffer | undefined;
    const send = (chunk: Buffer): void => {
      body.passed(chunk.length);
      if (!destination.write(chunk, () => releaseChunk(chunk))) source.pause();
    };
    const take = (chunk: Buffer): void => {
      const before = last;
      last = chunk;
      if (before !== undefined) send(before);
    };
    const resume = (): void => void source.resume();
    const finish = (): void => {
      stop();
      destination.end();
    };
    const finishWhenAllowed = async (): Promise<void> => {
      if ((await mayEnd?.()) !== true) return void this.outgoing?.destroy();
      if (this.outgoing?.destroyed === true) return;
      if (last !== undefined) send(last);
      finish();
    };
    const onData = mayEnd === undefined ? send : take;
    const onEnd =
      mayEnd === undefined
        ? finish
        : (): void => {
            finishWhenAllowed().catch((error: unknown) => this.outgoing?.destroy(asError(error)));
          };
    const stop = (): void => {
      source.off("data", onData);
      source.off("end", onEnd);
      destination.off("drain", resume);
    };
    this.#leaveBody = stop;
    source.on("data", onData);
    source.once("end", onEnd);
    destination.on("drain", resume);
    destination.once("close", stop);
    body.begin();
    return destination;
  }
}
