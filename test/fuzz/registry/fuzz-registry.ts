import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { setTimeout as delay, setImmediate as nextTurn } from "node:timers/promises";
import { createSecureContext, TLSSocket } from "node:tls";
import { listen } from "../../support/listen.ts";
import type { ResponseSpec } from "../case/fuzz-case.ts";
import { type Marker, markerIn } from "../case/marker.ts";
import { writeInChunks } from "../write-in-chunks.ts";
import { formOf } from "./form.ts";
import { isUnread } from "./is-unread.ts";
import { operationOf } from "./operation.ts";
import { headFaults, type ReceivedRequest, type RegistryObserver } from "./received.ts";
import { renderResponse } from "./render-response.ts";
import { type ReceivedHead, requestStream } from "./request-stream.ts";

/** A registry that does with each request what was planned for it, and tells what it was asked. */
export interface FuzzRegistry {
  readonly url: string;
  /** How many connections it has, and the most that it ever had at once. */
  connections(): { readonly now: number; readonly most: number };
  /** Ends all connections. */
  disconnect(): void;
  close(): Promise<void>;
}

export interface FuzzRegistrySettings {
  /** Plain HTTP by default. */
  readonly tls?: { readonly cert: string; readonly key: string };
  /** What it does with a request; of requests without a marker it is told the target. */
  readonly responseTo: (marker: Marker | undefined, target: string) => ResponseSpec;
  readonly observer: RegistryObserver;
}

/**
 * What was sent unasked and the next request may have been on their way at the same time. Only a request that comes
 * later than this, in milliseconds, after the other end has taken what was sent, was sent by somebody who could have
 * known.
 */
const crossing = 250;

export async function startFuzzRegistry(settings: FuzzRegistrySettings): Promise<FuzzRegistry> {
  const open = new Set<Socket>();
  let most = 0;
  const context = settings.tls === undefined ? undefined : createSecureContext(settings.tls);
  const server = createServer({ noDelay: true }, (raw) => {
    open.add(raw);
    most = Math.max(most, open.size);
    raw.on("error", () => raw.destroy());
    raw.once("close", () => open.delete(raw));
    const socket = context === undefined ? raw : new TLSSocket(raw, { isServer: true, secureContext: context });
    socket.on("error", () => raw.destroy());
    serve(socket, raw, settings);
  });
  const port = await listen(server);
  return {
    url: `${context === undefined ? "http" : "https"}://127.0.0.1:${port}`,
    connections: () => ({ now: open.size, most }),
    disconnect() {
      for (const socket of open) socket.destroy();
    },
    async close() {
      const closed = once(server, "close");
      server.close();
      for (const socket of open) socket.destroy();
      await closed;
    },
  };
}

/** Something that was sent without being asked for. */
interface Unasked {
  /** The request behind whose response it was sent. */
  readonly after: Marker | undefined;
  /** Whether whoever sends a request by now could have known of it. */
  known: boolean;
}

/** @param raw The connection itself, where `socket` is the TLS in it. */
function serve(socket: Socket, raw: Socket, { responseTo, observer }: FuzzRegistrySettings): void {
  let unasked: Unasked | undefined;
  let busy = false;

  const stream = requestStream({
    head(head) {
      busy = true;
      const marker = markerIn(head.target);
      observer.received({ marker, head });
      for (const fault of headFaults(head)) observer.suspicious(fault, marker);
      if (unasked !== undefined) return misused({ marker, head }, unasked);
      const response = responseTo(marker, head.target);
      if (response.when === "head") void respond(head, marker, response, bodyCame);
    },
    complete(head, body) {
      if (socket.destroyed) return;
      const marker = markerIn(head.target);
      observer.acted({ marker, head }, operationOf(head.method, head.target, formOf(head, body)));
      const response = responseTo(marker, head.target);
      if (response.when === "body") void respond(head, marker, response, Promise.resolve());
      completeBody();
    },
    malformed(bytes) {
      observer.suspicious(`bytes that are no request: ${JSON.stringify(bytes.slice(0, 200))}`, markerIn(bytes));
      raw.destroy();
    },
  });

  let completeBody = (): void => {};
  let bodyCame = nextBody();
  function nextBody(): Promise<void> {
    return new Promise((resolve) => {
      completeBody = resolve;
    });
  }

  /** The connection was used although something had been sent unasked on it. */
  function misused(request: ReceivedRequest, { known, after }: Unasked): void {
    const reason = "a request on a connection on which bytes had come that belong to no response";
    if (known) observer.suspicious(reason, request.marker, after);
    else observer.crossed(request, after);
    raw.destroy();
  }

  async function respond(
    head: ReceivedHead,
    marker: Marker | undefined,
    spec: ResponseSpec,
    came: Promise<void>,
  ): Promise<void> {
    if (spec.wait > 0) await delay(spec.wait);
    const owner = /^\/v2\/([a-z]+)\//.exec(head.target)?.[1] ?? "";
    const rendered = renderResponse(spec, { method: head.method, marker, owner });
    const atOnce = spec.tail?.wait === 0 && spec.cut === null ? rendered.tail : "";
    const bytes = spec.cut === null ? rendered.bytes : rendered.bytes.slice(0, spec.cut);
    if (atOnce !== "") unasked = { known: true, after: marker };
    await writeInChunks(socket, bytes, { size: spec.size, pause: 0, together: atOnce });
    if (spec.ending === "reset") return void raw.resetAndDestroy();
    if (spec.ending === "close") return void socket.end();
    // What is not whole has nothing behind it. To HEAD there is no body that could break off.
    if (spec.cut !== null || (spec.quality === "broken" && head.method !== "HEAD")) return;
    await came;
    busy = false;
    bodyCame = nextBody();
    if (spec.tail !== null && spec.tail.wait > 0) void follow(rendered.tail, spec.tail.wait, marker);
    stream.next();
  }

  /** Sends something unasked, where no request is waiting for a response by then. */
  async function follow(tail: string, wait: number, after: Marker | undefined): Promise<void> {
    await delay(wait);
    if (busy || socket.destroyed) return;
    const sent = { known: false, after };
    unasked = sent;
    socket.write(tail, "latin1");
    do await delay(crossing);
    while (await isUnread(socket, raw));
    // However late this is, what was sent before it has been read once the loop has turned.
    await nextTurn();
    sent.known = true;
  }

  socket.on("data", (chunk: Buffer) => stream.read(chunk.toString("latin1")));
  socket.on("end", () => socket.end());
}
