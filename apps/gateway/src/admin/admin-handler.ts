import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import type { Logger } from "@registry-gate/auth";
import { endsWithin } from "../ends-within.ts";
import { allMetrics } from "./metrics/all-metrics.ts";
import { combineSnapshots, type Snapshot } from "./metrics/snapshot.ts";
import { type Readiness, readinessText } from "./readiness/readiness.ts";

/** What the admin listener shows. Where several processes serve requests, it is of all of them. */
export interface AdminSources {
  /** What each process has measured. */
  snapshots(): Promise<readonly Snapshot[]>;
  readiness(): Promise<Readiness>;
}

/** How metrics are shown. */
export interface MetricsText {
  readonly contentType: string;
  render(snapshot: Snapshot): Promise<string>;
}

interface AdminResponse {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

const plain = "text/plain; charset=utf-8";
const allowed = "GET, HEAD";
/** How long other processes may take, in milliseconds. */
const collectLimit = 3000;
/** How long a text of metrics is shown again, in milliseconds: however many ask, it is made twice a second. */
const metricsFreshFor = 500;

/**
 * Responds to `/livez`, `/readyz` and `/metrics`, and to nothing else.
 *
 * @param text Loads what renders metrics, which takes a while: it is called once, when somebody asks for the first time.
 */
export function adminHandler(sources: AdminSources, text: () => Promise<MetricsText>, log: Logger): RequestListener {
  let renderer: Promise<MetricsText> | undefined;
  const metrics = sharedFor(metricsFreshFor, async (): Promise<AdminResponse> => {
    const collecting = sources.snapshots();
    if (!(await endsWithin(collectLimit, collecting))) return failure("metrics could not be collected in time");
    renderer ??= text();
    const { contentType, render } = await renderer;
    return { status: 200, type: contentType, body: await render(combineSnapshots(await collecting, allMetrics)) };
  });

  async function readiness(query: string): Promise<AdminResponse> {
    const found = await sources.readiness();
    const status = found.ready ? 200 : 503;
    return new URLSearchParams(query).has("verbose")
      ? { status, type: "application/json", body: `${JSON.stringify(found)}\n` }
      : { status, type: plain, body: `${readinessText(found)}\n` };
  }

  const pages: Readonly<Record<string, (query: string) => AdminResponse | Promise<AdminResponse>>> = {
    "/livez": () => ({ status: 200, type: plain, body: "ok\n" }),
    "/readyz": readiness,
    "/metrics": () => metrics(),
  };

  return (request, response) => {
    const [path = "", query = ""] = (request.url ?? "").split("?", 2);
    const page = Object.hasOwn(pages, path) ? pages[path] : undefined;
    if (page === undefined) return send(request, response, { status: 404, type: plain, body: "not found\n" });
    if (request.method !== "GET" && request.method !== "HEAD") {
      response.setHeader("Allow", allowed);
      return send(request, response, { status: 405, type: plain, body: "only GET and HEAD are allowed\n" });
    }
    Promise.resolve(query)
      .then(page)
      .catch((error: unknown) => {
        log.error({ err: error }, "the admin listener failed to respond");
        return failure("internal error");
      })
      .then((result) => send(request, response, result));
  };
}

function failure(message: string): AdminResponse {
  return { status: 503, type: plain, body: `${message}\n` };
}

function send(request: IncomingMessage, response: ServerResponse, { status, type, body }: AdminResponse): void {
  // Its body turned out to be malformed in the meantime, and the listener has responded.
  if (response.headersSent) return;
  const { "content-length": length, "transfer-encoding": encoding } = request.headers;
  response.writeHead(status, {
    "Content-Type": type,
    "Content-Length": Buffer.byteLength(body),
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    // Nobody reads a body that comes with it.
    ...((length ?? encoding) !== undefined && { Connection: "close" }),
  });
  response.end(body);
}

/** Makes something once for all who ask at the same time, and again when it is older than `age` milliseconds. */
function sharedFor<T>(age: number, make: () => Promise<T>): () => Promise<T> {
  let made: { readonly at: number; readonly value: Promise<T> } | undefined;
  return () => {
    if (made === undefined || performance.now() - made.at > age) {
      const value = make();
      made = { at: performance.now(), value };
      value.catch(() => {
        made = undefined;
      });
    }
    return made.value;
  };
}
