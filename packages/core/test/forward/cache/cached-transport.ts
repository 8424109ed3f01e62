import { setImmediate as nextTurn } from "node:timers/promises";
import { digestOf } from "../../../../../test/support/registry-content.ts";
import type {
  ResponseHead,
  ResponseSink,
  Transfer,
  Transport,
  TransportFailure,
  UpstreamRequest,
} from "../../../src/forward/transport.ts";
import type { CacheResult } from "../../../src/observe/record.ts";
import type { Route } from "../../../src/route/route.ts";

const manifestType = "application/vnd.oci.image.manifest.v1+json";

/** A request that has reached the registry. */
export interface Received {
  readonly request: UpstreamRequest;
  readonly sink: ResponseSink;
  aborted: boolean;
  resumed: number;
}

/** A transport whose responses are up to the test. */
export interface HeldTransport extends Transport {
  readonly received: Received[];
}

export function heldTransport(): HeldTransport {
  const received: Received[] = [];
  return {
    received,
    send(request, sink) {
      const one: Received = { request, sink, aborted: false, resumed: 0 };
      received.push(one);
      return {
        resume: () => void one.resumed++,
        abort: () => {
          one.aborted = true;
        },
      };
    },
    close() {},
  };
}

/** What a client has received. */
export interface Got {
  readonly transfer: Transfer;
  status: number | undefined;
  headers: ResponseHead["headers"];
  cache: CacheResult | undefined;
  body: string;
  state: "waiting" | "begun" | "ended" | "failed";
  failure: TransportFailure | undefined;
  /** Reads no more. */
  slow: boolean;
}

export async function turns(count = 3): Promise<void> {
  for (let turn = 0; turn < count; turn++) await nextTurn();
}

/** Sends a request, and collects its response. */
export function ask(transport: Transport, request: UpstreamRequest): Got {
  const got: Omit<Got, "transfer"> = {
    status: undefined,
    headers: {},
    cache: undefined,
    body: "",
    state: "waiting",
    failure: undefined,
    slow: false,
  };
  const expectOpen = (): void => {
    if (got.state === "ended" || got.state === "failed") throw new Error("a call after the end");
  };
  const sink: ResponseSink = {
    head(head) {
      if (got.state !== "waiting") throw new Error("a second head");
      got.state = "begun";
      got.status = head.statusCode;
      got.headers = head.headers;
      got.cache = head.cache;
    },
    chunk(chunk, consumed) {
      if (got.state !== "begun") throw new Error("a chunk outside of a response");
      got.body += chunk.toString("latin1");
      consumed?.();
      return !got.slow;
    },
    flush() {},
    end() {
      if (got.state !== "begun") throw new Error("an end outside of a response");
      got.state = "ended";
    },
    failed(failure) {
      expectOpen();
      got.state = "failed";
      got.failure = failure;
    },
  };
  return Object.assign(got, { transfer: transport.send(request, sink) });
}

const base = { body: undefined, connectionKey: "user", clientKey: "user" } as const;

export function manifestRequest(
  repository: string,
  reference: string,
  headers: Record<string, string> = {},
  method = "GET",
): UpstreamRequest {
  const route: Route = { operation: "get-manifest", repository, reference, namespace: undefined };
  return {
    ...base,
    method,
    target: `/v2/${repository}/manifests/${reference}`,
    headers: { host: "gate", accept: manifestType, ...headers },
    route,
  };
}

export function blobRequest(
  repository: string,
  reference: string,
  headers: Record<string, string> = {},
  method = "GET",
): UpstreamRequest {
  const route: Route = { operation: "get-blob", repository, reference, namespace: undefined };
  return {
    ...base,
    method,
    target: `/v2/${repository}/blobs/${reference}`,
    headers: { host: "gate", ...headers },
    route,
  };
}

export function putRequest(repository: string, reference: string, tags: readonly string[] = []): UpstreamRequest {
  const route: Route = { operation: "put-manifest", repository, reference, tags };
  return { ...base, method: "PUT", target: `/v2/${repository}/manifests/${reference}`, headers: {}, route };
}

export function deleteRequest(
  repository: string,
  reference: string,
  operation: "delete-manifest" | "delete-blob" = "delete-manifest",
): UpstreamRequest {
  const kind = operation === "delete-blob" ? "blobs" : "manifests";
  const route: Route = { operation, repository, reference };
  return { ...base, method: "DELETE", target: `/v2/${repository}/${kind}/${reference}`, headers: {}, route };
}

/** The head with which docker-registry sends `content`. */
export function headOf(content: string, headers: Record<string, string | undefined> = {}): ResponseHead {
  const digest = digestOf(content);
  const all = {
    "content-length": String(Buffer.byteLength(content)),
    "content-type": manifestType,
    "docker-content-digest": digest,
    "docker-distribution-api-version": "registry/2.0",
    etag: `"${digest}"`,
    date: "Sat, 28 Nov 2026 08:00:00 GMT",
    ...headers,
  };
  return {
    statusCode: 200,
    headers: Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)),
  };
}

/** Responds with `content`. */
export function respond(to: Received | undefined, content: string, headers?: Record<string, string | undefined>): void {
  if (to === undefined) throw new Error("there is no such request");
  to.sink.head(headOf(content, headers));
  if (content !== "") to.sink.chunk(Buffer.from(content));
  to.sink.end();
}

export function respondStatus(
  to: Received | undefined,
  statusCode: number,
  headers: Record<string, string> = {},
): void {
  if (to === undefined) throw new Error("there is no such request");
  to.sink.head({ statusCode, headers: { "content-length": "0", ...headers } });
  to.sink.end();
}

export function fail(to: Received | undefined): void {
  to?.sink.failed({ kind: "unreachable", error: new Error("broken"), stale: false });
}
