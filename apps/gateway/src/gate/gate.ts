import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import { type AuthBackend, type Fault, formatFault, InvalidOptionsError, type Logger } from "@registry-gate/auth";
import {
  type CounterStore,
  memoryCounters,
  type RequestRecord,
  registryProxy,
  validateOptions,
} from "@registry-gate/core";
import { memoryState, type StateStore, stateCounters } from "@registry-gate/state";
import { openKeys, randomKeys, type TokenKeys } from "@registry-gate/token";
import express from "express";
import type { Configuration } from "../config/configuration.ts";
import type { Path } from "../config/path.ts";
import { challengeOf } from "../config/sections/auth.ts";
import { listenFaults } from "../listener/listen-faults.ts";
import { inspectOnly, type LeaseState } from "../state/state-leases.ts";
import { loadTls, type TlsIdentity, whyNoClientCertificates } from "../tls/tls-identity.ts";
import { closeBackends, openBackends } from "./backends.ts";
import { openGateStore } from "./gate-store.ts";
import { gateTokens } from "./gate-tokens.ts";
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
  /** Where failed logins are counted without a state store, and while it is unavailable. Default: anew for each gate. */
  readonly counters?: CounterStore;
  /** Opens the state store. Default: it is inspected alone. */
  readonly leaseState?: LeaseState;
  /** Where tokens are kept if there is no other store. Default: anew for each gate. */
  readonly memory?: StateStore;
  /** The keys where no file is configured. Default: anew for each gate. */
  readonly keys?: TokenKeys;
}

/**
 * Builds a gate: reads the files that the configuration names and opens its backends, but connects to nothing.
 *
 * @throws {InvalidOptionsError} with every fault; then nothing stays open.
 */
export async function buildGate(configuration: Configuration, surroundings: GateSurroundings): Promise<Gate> {
  const {
    directory,
    placeholders = [],
    log,
    onRequest,
    counters = memoryCounters(),
    leaseState = inspectOnly,
    memory = memoryState(),
  } = surroundings;
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
  let built = false;
  const warnings: Fault[] = [];
  const warn = (fault: Fault): void => {
    if (built) log.warn({ event: "warning" }, formatFault(fault));
    else warnings.push(fault);
  };
  const { file: keyFile } = configuration.keys ?? {};
  const ownKeys =
    keyFile === undefined
      ? undefined
      : await collect(openKeys({ file: keyFile }, { baseDirectory: directory, log, warn, option: ["keys", "file"] }));
  const keys = ownKeys ?? surroundings.keys ?? (await randomKeys());
  const state = await collect(openGateStore(configuration, { directory, leaseState, memory, log, warn }));
  const counting = state?.configured ? stateCounters({ store: state.configured, fallback: counters, log }) : counters;
  let issuers: readonly AuthBackend[] = [];
  const tokens =
    challengeOf(configuration.auth, configuration.access) === "bearer"
      ? gateTokens(configuration.auth.token, { keys, store: state?.tokens, backends: () => issuers, log })
      : undefined;
  const options = await collect(proxyOptions(configuration, counting, credentials, tokens));
  const findings = options === undefined ? undefined : validateOptions(options);
  faults.push(...(findings?.faults.map(inConfiguration) ?? []));
  faults.push(...(await listenFaults(configuration.listen)));
  const { tls: tlsConfiguration } = configuration.listen;
  const tls = tlsConfiguration === undefined ? undefined : await collect(loadTls(tlsConfiguration));
  warnings.push(...(findings?.warnings.map(inConfiguration) ?? []));
  const noClientCertificates = whyNoClientCertificates(configuration.listen, tls);
  const { backends, faults: backendFaults } = await openBackends(configuration.auth.backends, {
    ...{ directory, placeholders, log, warn },
    ...(state?.tokens && { state: state.tokens }),
    ...(noClientCertificates !== undefined && { noClientCertificates }),
  });
  faults.push(...backendFaults);
  issuers = backends;
  if (faults.length > 0 || options === undefined) {
    credentials?.close();
    ownKeys?.close();
    await closeBackends(backends, log);
    await state?.release();
    throw new InvalidOptionsError(faults);
  }

  built = true;
  const proxy = registryProxy({
    ...options,
    backends: tokens === undefined ? backends : [tokens.backend, ...backends],
    sealingKeys: () => keys.derive("what clients carry back"),
    log,
    onFinished: onRequest,
  });
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
      ownKeys?.close();
      await closeBackends(backends, log);
      await state?.release();
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
