import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import { type AuthBackend, type Fault, formatFault, InvalidOptionsError, type Logger } from "@registry-gate/auth";
import { type CounterStore, type RequestRecord, registryProxy, validateOptions } from "@registry-gate/core";
import express from "express";
import type { Configuration } from "../config/configuration.ts";
import type { Path } from "../config/path.ts";
import { listenFaults } from "../listener/listen-faults.ts";
import { loadTls, type TlsIdentity, whyNoClientCertificates } from "../tls/tls-identity.ts";
import { closeBackends, openBackends } from "./backends.ts";
import { inConfiguration, proxyOptions } from "./proxy-options.ts";
import { openCredentials } from "./registry-credentials.ts";

/** Everything that is built from one configuration, except the listening socket. */
export interface Gate {
  readonly configuration: Configuration;
  /** Undefined: plain HTTP. */
  readonly tls: TlsIdentity | undefined;
  readonly backends: readonly AuthBackend[];
  readonly handle: RequestListener;
  /** Faults that do not keep the gate from working. */
  readonly warnings: readonly Fault[];
  /** Releases everything as soon as the requests that it has begun are finished. */
  retire(): Promise<void>;
}

export interface GateSurroundings {
  /** Where paths in backends' options are relative to. */
  readonly directory: string;
  /** Where texts of the configuration came whole from the environment. */
  readonly placeholders?: readonly Path[];
  readonly log: Logger;
  readonly onRequest: (record: RequestRecord) => void;
  /** Where failed logins are counted. Default: anew for each gate. */
  readonly counters?: CounterStore;
}

/**
 * Builds a gate: reads the files that the configuration names and opens its backends, but connects to nothing.
 *
 * @throws {InvalidOptionsError} with every fault; then nothing stays open.
 */
export async function buildGate(configuration: Configuration, surroundings: GateSurroundings): Promise<Gate> {
  const { directory, placeholders = [], log, onRequest, counters } = surroundings;
  const faults: Fault[] = [];
  const collect = async <T>(action: Promise<T>): Promise<T | undefined> => {
    try {
      return await action;
    } catch (error) {
      if (!(error instanceof InvalidOptionsError)) throw error;
      faults.push(...error.faults);
      return undefined;
    }
  };

  const { credentials: credentialsConfiguration } = configuration.upstream;
  const credentials =
    credentialsConfiguration === undefined ? undefined : await collect(openCredentials(credentialsConfiguration, log));
  const options = await collect(proxyOptions(configuration, counters, credentials));
  const findings = options === undefined ? undefined : validateOptions(options);
  faults.push(...(findings?.faults.map(inConfiguration) ?? []));
  faults.push(...(await listenFaults(configuration.listen)));
  const { tls: tlsConfiguration } = configuration.listen;
  const tls = tlsConfiguration === undefined ? undefined : await collect(loadTls(tlsConfiguration));
  const warnings: Fault[] = findings?.warnings.map(inConfiguration) ?? [];
  let built = false;
  const warn = (fault: Fault): void => {
    if (built) log.warn({ event: "warning" }, formatFault(fault));
    else warnings.push(fault);
  };
  const noClientCertificates = whyNoClientCertificates(configuration.listen, tls);
  const { backends, faults: backendFaults } = await openBackends(configuration.auth.backends, {
    ...{ directory, placeholders, log, warn },
    ...(noClientCertificates !== undefined && { noClientCertificates }),
  });
  faults.push(...backendFaults);
  if (faults.length > 0 || options === undefined) {
    credentials?.close();
    await closeBackends(backends, log);
    throw new InvalidOptionsError(faults);
  }

  built = true;
  const proxy = registryProxy({ ...options, backends, log, onFinished: onRequest });
  const app = express();
  app.disable("x-powered-by");
  app.disable("etag");
  app.use((request: IncomingMessage, response: ServerResponse) => proxy(request, response));
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
    handle: requests.handle,
    warnings,
    async retire() {
      await requests.finished();
      await proxy.close();
      credentials?.close();
      await closeBackends(backends, log);
    },
  };
}

function countRequests(respond: (request: IncomingMessage, response: ServerResponse) => void): {
  handle: RequestListener;
  finished(): Promise<void>;
} {
  let active = 0;
  let resolveFinished: (() => void) | undefined;
  return {
    handle(request, response) {
      active++;
      response.once("close", () => {
        if (--active === 0) resolveFinished?.();
      });
      respond(request, response);
    },
    finished: () =>
      active === 0
        ? Promise.resolve()
        : new Promise((resolve) => {
            resolveFinished = resolve;
          }),
  };
}
