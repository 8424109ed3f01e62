import { mkdtemp, rm } from "node:fs/promises";
import type { ServerResponse } from "node:http";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { Faults } from "./faults/faults.ts";
import { hooksOf } from "./faults/faults.ts";
import { closeIdleConnections } from "./faults/idle-connections.ts";
import { clientOrigin } from "./http/origin.ts";
import { Problem, sendProblem } from "./http/problem.ts";
import { requestBody } from "./http/request-body.ts";
import { listen } from "./listen.ts";
import type { EmbeddedRegistry, EmbeddedRegistryOptions } from "./options.ts";
import { CountedRequest, createRequestLog } from "./request-record.ts";
import { route } from "./routes/router.ts";
import { parseTarget } from "./routes/target.ts";
import { openStorage } from "./storage/storage.ts";

/**
 * Starts a small OCI registry, for demonstrations and tests. Rejects where the address cannot be listened on or the
 * directory cannot be written.
 */
export async function startEmbeddedRegistry(options: EmbeddedRegistryOptions = {}): Promise<EmbeddedRegistry> {
  const { host = "127.0.0.1", port = 0, locations = "absolute", onError = console.error } = options;
  const { pages = "last", uploads = "distribution" } = options;
  const directory = options.directory ?? (await mkdtemp(join(tmpdir(), "embedded-registry-")));
  const discard = async (): Promise<void> => {
    if (options.directory === undefined) await rm(directory, { recursive: true, force: true });
  };
  const orDiscard = async (error: unknown): Promise<never> => {
    await discard();
    throw error;
  };
  const storage = await openStorage(directory).catch(orDiscard);
  const log = createRequestLog(options.rememberedRequests ?? 1000);
  const closing = new AbortController();
  let faults: Faults = options.faults ?? {};

  const commitDelay = async (): Promise<void> => {
    if (faults.commitDelay !== undefined) await delay(faults.commitDelay, undefined, { signal: closing.signal });
  };

  const taken = async (request: CountedRequest, response: ServerResponse): Promise<boolean> => {
    for (const hook of hooksOf(faults)) {
      if (await hook(request, response)) return true;
    }
    return false;
  };

  const answer = async (request: CountedRequest, response: ServerResponse): Promise<void> => {
    const { target, query } = parseTarget(request.url ?? "");
    const origin = locations === "absolute" ? clientOrigin(request) : "";
    const body = requestBody(request, response);
    await route({ request, response, query, origin, pages, uploads, body }, storage, target, commitDelay);
    // What a route left unread of the body would keep the next request on this connection from being seen.
    if (!request.complete) request.resume();
  };

  const fail = (error: unknown, request: CountedRequest, response: ServerResponse): void => {
    // A client that has gone gets no answer, and a route that lost it has not failed.
    if (request.socket.destroyed) return;
    if (error instanceof Problem) {
      sendProblem(response, error);
    } else {
      onError(error);
      sendProblem(response, new Problem(500, "UNKNOWN", "internal error"));
    }
    if (!request.complete) request.resume();
  };

  const running = new Set<Promise<void>>();
  const serve = async (request: CountedRequest, response: ServerResponse): Promise<void> => {
    log.add(request, response);
    response.setHeader("docker-distribution-api-version", "registry/2.0");
    try {
      if ((await taken(request, response)) || closing.signal.aborted) return;
      const work = answer(request, response);
      running.add(work);
      await work.finally(() => running.delete(work));
    } catch (error) {
      fail(error, request, response);
    }
  };

  // No limits of time: an upload may take hours, and keeping connections open is for the faults to end.
  const server = createServer({ IncomingMessage: CountedRequest, requestTimeout: 0, keepAliveTimeout: 0 }, serve);
  server.on("checkContinue", serve);
  closeIdleConnections(server, () => faults.closeIdleAfter);
  const bound = await listen(server, host, port).catch(orDiscard);

  let closed: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    closing.abort();
    const ended = new Promise<void>((resolve) => server.close(() => resolve()));
    server.closeAllConnections();
    await ended;
    await Promise.allSettled(running);
    await discard();
  };

  return {
    url: `http://${host.includes(":") ? `[${host}]` : host}:${bound}`,
    port: bound,
    directory,
    requests: log.requests,
    setFaults(next) {
      faults = next;
    },
    close() {
      closed ??= close();
      return closed;
    },
  };
}
