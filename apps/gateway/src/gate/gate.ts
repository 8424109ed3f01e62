import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import type { AuthBackend, Fault } from "@registry-gate/auth";
import {
  type ContentChanges,
  type ReadOnlySwitch,
  type RequestRecord,
  type RequestTracer,
  registryProxy,
  type WriteObserver,
} from "@registry-gate/core";
import type { StateStore } from "@registry-gate/state";
import type { Configuration } from "../config/configuration.ts";
import type { TlsIdentity } from "../tls/tls-identity.ts";
import { lazyHandler } from "./lazy-handler.ts";
import { openParts, type PartsSurroundings } from "./open-parts.ts";
import { countRequests } from "./request-count.ts";

/** Everything that is built from one configuration, except the listening socket. */
export interface Gate {
  readonly configuration: Configuration;
  /** Undefined: plain HTTP. */
  readonly tls: TlsIdentity | undefined;
  readonly backends: readonly AuthBackend[];
  /** The store that the configuration names; undefined where it names none. */
  readonly state: StateStore | undefined;
  readonly handle: RequestListener;
  /** How many requests are in progress. */
  readonly inFlight: number;
  /** Faults that do not keep the gate from working. */
  readonly warnings: readonly Fault[];
  /** Releases everything as soon as the requests that it has begun are finished. */
  retire(): Promise<void>;
}

export interface GateSurroundings extends PartsSurroundings {
  readonly onRequest: (record: RequestRecord) => void;
  /** Shared by all gates of the process. Default: writes are not refused. */
  readonly readOnly?: ReadOnlySwitch;
  readonly contentChanges?: ContentChanges;
  readonly writes?: WriteObserver | undefined;
  /** Follows the requests; undefined where nobody asked for traces. */
  readonly tracer?: RequestTracer | undefined;
}

/**
 * Builds a gate: reads the files that the configuration names and opens its backends, but connects to nothing.
 *
 * @throws {InvalidOptionsError} with every fault; then nothing stays open.
 */
export async function buildGate(
  configuration: Configuration,
  { onRequest, writes, readOnly, contentChanges, tracer, ...surroundings }: GateSurroundings,
): Promise<Gate> {
  const { options, backends, tls, state, warnings, close } = await openParts(configuration, surroundings);
  const proxy = registryProxy({
    ...options,
    standalone: true,
    ...(readOnly && { readOnly }),
    ...(contentChanges && { contentChanges }),
    log: surroundings.log,
    onFinished: onRequest,
    ...(writes !== undefined && { writes }),
    ...(tracer !== undefined && { tracer }),
  });
  const app = lazyHandler(async () => {
    const { default: express } = await import("express");
    const app = express();
    app.disable("x-powered-by");
    app.disable("etag");
    app.use((request: IncomingMessage, response: ServerResponse) => proxy(request, response));
    return app;
  });
  // Express serves what is not the registry's. What it does not know is refused by the gate, and so is a target that it
  // cannot parse: it would respond with a page of its own.
  const requests = countRequests((request, response) => {
    proxy(request, response, () => {
      if (request.url?.startsWith("/") === true) app(request, response);
      else proxy(request, response);
    });
  });
  return {
    configuration,
    tls,
    backends,
    state,
    handle: requests.handle,
    get inFlight() {
      return requests.active;
    },
    warnings,
    async retire() {
      await requests.finished();
      await proxy.close();
      await close();
    },
  };
}
