import { type AuthBackend, type Fault, formatFault, InvalidOptionsError, type Logger } from "@registry-gate/auth";
import { type CounterStore, memoryCounters, type RegistryProxyOptions, validateOptions } from "@registry-gate/core";
import { memoryState, type StateStore, stateCounters } from "@registry-gate/state";
import { openKeys, randomKeys, type TokenKeys } from "@registry-gate/token";
import type { AuditEvent } from "../audit/audit-event.ts";
import { inspectAuditFile } from "../audit/inspect-audit-file.ts";
import type { Configuration } from "../config/configuration.ts";
import type { Path } from "../config/path.ts";
import { adminFaults } from "../config/sections/admin.ts";
import { challengeOf } from "../config/sections/auth.ts";
import { portalFaults } from "../config/sections/portal.ts";
import { inspectEndpoints } from "../events/open-endpoint.ts";
import { listenFaults } from "../listener/listen-faults.ts";
import { maintenanceFaults } from "../maintenance/maintenance-faults.ts";
import { inspectOnly, type LeaseState } from "../state/state-leases.ts";
import { loadTls, type TlsFiles, type TlsIdentity, whyNoClientCertificates } from "../tls/tls-identity.ts";
import { closeBackends, openBackends } from "./backends.ts";
import { issuanceOf } from "./gate-access-tokens.ts";
import type { GatePortal, OpenPortal } from "./gate-portal.ts";
import { openGateStore } from "./gate-store.ts";
import { gateTokens } from "./gate-tokens.ts";
import { openPortalFiles } from "./portal-files.ts";
import { inConfiguration, proxyOptions } from "./proxy-options.ts";
import { openCredentials } from "./registry-credentials.ts";
import { rememberingBackend } from "./remembering-backend.ts";

/** What parts are opened in. */
export interface PartsSurroundings {
  /** Where paths in backends' options are relative to. */
  readonly directory: string;
  /** Where texts of the configuration came whole from the environment. */
  readonly placeholders?: readonly Path[];
  readonly log: Logger;
  /** Where failed logins are counted without a state store, and while it is unavailable. Default: anew for each gate. */
  readonly counters?: CounterStore;
  /** Opens the state store. Default: it is inspected alone. */
  readonly leaseState?: LeaseState;
  /** Where tokens are kept if there is no other store. Default: anew for each gate. */
  readonly memory?: StateStore;
  /** The keys where no file is configured. Default: anew for each gate. */
  readonly keys?: TokenKeys;
  /** The store that the processes of this gate share where the configuration names none. Default: there is none. */
  readonly processState?: StateStore;
  /** The files of the certificate, where they were read already. */
  readonly tlsFiles?: TlsFiles;
  /** Records what happens at the pages. */
  readonly auditPortal?: ((event: AuditEvent) => void) | undefined;
  /** Opens the pages beside the registry. Default: there are none. */
  readonly portal?: OpenPortal | undefined;
  /** Whether the audit's file is inspected. Default: no, a gateway opens it itself, and keeps one that it has open. */
  readonly inspectAudit?: boolean;
}

/** Everything that a gate is made of, but for what handles requests. */
export interface GateParts {
  /** Of the middleware, the backends included. */
  readonly options: RegistryProxyOptions;
  /** Those of the configuration. */
  readonly backends: readonly AuthBackend[];
  /** Undefined: plain HTTP. */
  readonly tls: TlsIdentity | undefined;
  /** The store that the configuration names; undefined where it names none. */
  readonly state: StateStore | undefined;
  /** The pages; undefined where there are none. */
  readonly portal: GatePortal | undefined;
  /** Faults that do not keep the gate from working. */
  readonly warnings: readonly Fault[];
  close(): Promise<void>;
}

/**
 * Reads the files that a configuration names and opens its backends, but connects to nothing.
 *
 * @throws {InvalidOptionsError} with every fault; then nothing stays open.
 */
export async function openParts(configuration: Configuration, surroundings: PartsSurroundings): Promise<GateParts> {
  const {
    directory,
    placeholders = [],
    log,
    counters = memoryCounters(),
    leaseState = inspectOnly,
    memory = memoryState(),
    processState,
    tlsFiles,
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
  const state = await collect(
    openGateStore(configuration, {
      ...{ directory, leaseState, memory, processState, log, warn },
      keepsSessions: surroundings.portal !== undefined,
    }),
  );
  const counting = state?.counting ? stateCounters({ store: state.counting, fallback: counters, log }) : counters;
  let issuers: readonly AuthBackend[] = [];
  const tokens =
    challengeOf(configuration.auth, configuration.access) === "bearer"
      ? gateTokens(configuration.auth.token, { keys, store: state?.tokens, backends: () => issuers, log })
      : undefined;
  const options = await collect(proxyOptions(configuration, counting, credentials, tokens));
  const findings = options === undefined ? undefined : validateOptions(options);
  faults.push(...(findings?.faults.map(inConfiguration) ?? []));
  faults.push(...(await listenFaults(configuration.listen)), ...adminFaults(configuration.admin, configuration.listen));
  const endpoints = await inspectEndpoints(configuration.events, { directory, log });
  faults.push(...endpoints.faults);
  warnings.push(...endpoints.warnings);
  if (surroundings.inspectAudit === true) faults.push(...(await inspectAuditFile(configuration.audit)));
  faults.push(...portalFaults(configuration.portal, configuration.listen));
  const { portal: portalConfiguration = surroundings.portal && {} } = configuration;
  const readsPortal = surroundings.portal !== undefined || surroundings.inspectAudit === true;
  const portalFiles =
    portalConfiguration !== undefined && readsPortal
      ? await collect(openPortalFiles(portalConfiguration, keys, log))
      : undefined;
  const maintenance = maintenanceFaults(configuration.maintenance);
  faults.push(...maintenance.faults);
  warnings.push(...maintenance.warnings);
  const { tls: tlsConfiguration } = configuration.listen;
  const tls = tlsConfiguration === undefined ? undefined : await collect(loadTls(tlsConfiguration, tlsFiles));
  warnings.push(...(findings?.warnings.map(inConfiguration) ?? []));
  const noClientCertificates = whyNoClientCertificates(configuration.listen, tls);
  const { backends, faults: backendFaults } = await openBackends(configuration.auth.backends, {
    ...{ directory, placeholders, log, warn },
    ...(state?.tokens && { state: state.tokens }),
    ...(noClientCertificates !== undefined && { noClientCertificates }),
  });
  faults.push(...backendFaults);
  issuers = backends;
  const portalStore = state?.tokens;
  const portal =
    surroundings.portal && portalFiles && portalConfiguration && portalStore
      ? await collect(
          surroundings.portal({
            ...{ configuration: portalConfiguration, files: portalFiles, state: portalStore, backends, log },
            access: configuration.access,
            audit: surroundings.auditPortal,
            attemptedNames: configuration.log?.attemptedNames !== false,
            remembering: rememberingBackend(configuration.auth.backends),
            issuance: issuanceOf(configuration.auth.backends),
            devices: tokens?.refreshTokens,
            trustedProxies: configuration.listen.trustedProxies ?? [],
            certificate: tls?.files[0].content,
          }),
        )
      : undefined;
  const close = async (): Promise<void> => {
    await portal?.close();
    portalFiles?.close();
    credentials?.close();
    ownKeys?.close();
    await closeBackends(backends, log);
    await state?.release();
  };
  if (faults.length > 0 || options === undefined) {
    await close();
    throw new InvalidOptionsError(faults);
  }
  built = true;
  return {
    options: {
      ...options,
      backends: tokens === undefined ? backends : [tokens.backend, ...backends],
      sealingKeys: () => keys.derive("what clients carry back"),
    },
    ...{ backends, tls, state: state?.configured, portal, warnings, close },
  };
}
