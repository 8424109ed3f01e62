import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import type { AuthBackend, Fault } from "@registry-gate/auth";
import {
  type ContentChanges,
  type ReadOnlySwitch,
  type RegistryProxyOptions,
  type RequestRecord,
  type RequestTracer,
  registryProxy,
  type WriteObserver,
} from "@registry-gate/core";
import type { StateStore } from "@registry-gate/state";
import type { Configuration } from "../config/configuration.ts";
import type { TlsIdentity } from "../tls/tls-identity.ts";
import type { GatePortal } from "./gate-portal.ts";
import { lazyHandler } from "./lazy-handler.ts";
import { openParts, type PartsSurroundings } from "./open-parts.ts";
import type { OwnGateOptions, PortalEntry } from "./portal-entry.ts";
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
  const { options, backends, tls, state, portal, warnings, close } = await openParts(configuration, surroundings);
  const own = {
    ...(readOnly && { readOnly }),
    ...(contentChanges && { contentChanges }),
    log: surroundings.log,
    onFinished: onRequest,
    ...(writes !== undefined && { writes }),
    ...(tracer !== undefined && { tracer }),
  };
  const entry = await openEntry(portal, configuration, options, own);
  const requests = countRequests(entry.handle);
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
      await entry.close();
      await close();
    },
  };
}

/** Without pages, nothing of them is loaded. */
async function openEntry(
  portal: GatePortal | undefined,
  { portal: { path = "/" } = {} }: Configuration,
  options: RegistryProxyOptions,
  own: OwnGateOptions,
): Promise<Pick<PortalEntry, "handle" | "close">> {
  if (portal === undefined) return registryAlone({ ...options, ...own });
  const { openPortalEntry } = await import("./portal-entry.ts");
  return openPortalEntry(portal, path, options, own);
}

function registryAlone(options: RegistryProxyOptions): Pick<PortalEntry, "handle" | "close"> {
  const proxy = registryProxy({ ...options, standalone: true });
  const app = lazyHandler(async () => {
    const { default: express } = await import("express");
    const app = express();
    app.disable("x-powered-by");
    app.disable("etag");
    app.use((request: IncomingMessage, response: ServerResponse) => proxy(request, response));
    return app;
  });
  return {
    // Express serves what is not the registry's. What it does not know is refused by the gate, and so is a target that it
    // cannot parse: it would respond with a page of its own.
    handle(request, response) {
      proxy(request, response, () => {
        if (request.url?.startsWith("/") === true) app(request, response);
        else proxy(request, response);
      });
    },
    close: () => proxy.close(),
  };
}
