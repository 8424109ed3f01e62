import { type FileWatch, watchFiles } from "@registry-gate/watched-file";
import type { Logger } from "pino";
import type { AuditEvent, ReloadCause } from "../audit/audit-event.ts";
import type { AuditSlot, PreparedAudit } from "../audit/audit-slot.ts";
import { reloadedEvent, reloadRejectedEvent } from "../audit/gateway-events.ts";
import type { Configuration } from "../config/configuration.ts";
import { recordedEvents } from "../config/sections/audit.ts";
import { logLevelOf } from "../config/sections/log.ts";
import type { Notifier, PreparedEndpoints } from "../events/notifier.ts";
import type { GateLoader } from "../gate/gate-loader.ts";
import type { GateSlot } from "../gate/gate-slot.ts";
import { isWellFormed } from "../gate/load-gate.ts";
import { listenerSetup } from "../listener/listener-setup.ts";
import type { ListenerSlot } from "../listener/listener-slot.ts";
import {
  describeRefusal,
  refusalFaults,
  reportListening,
  reportRefusal,
  reportUnreadableFile,
  reportWarnings,
} from "../log/reports.ts";
import type { Maintenance } from "../maintenance/maintenance.ts";
import { configurationReload, publishRefusal, publishReload } from "../observe/reloads.ts";
import { warningsOf } from "../warnings/warnings.ts";
import { followCertificate } from "./certificate-follower.ts";
import { reloadAttempts } from "./reload-attempts.ts";

/** Applies changes of the configuration and the certificate to a running gateway. */
export interface Reloader {
  /** Reads the configuration again. An invalid one is logged and rejected; the running configuration stays. */
  reload(cause: ReloadCause): Promise<void>;
  /** Stops following files, prevents further reloads, and resolves when none is running. */
  stop(): Promise<void>;
}

/** The parts of a gateway that a reload changes. */
export interface Reloaded {
  readonly loader: GateLoader;
  readonly gates: GateSlot;
  readonly listener: ListenerSlot;
  readonly audit: AuditSlot;
  readonly notifier: Notifier;
  readonly maintenance: Maintenance;
  readonly log: Logger;
}

/** Follows the configuration file, and the certificate files that the running gate uses. */
export function startReloader(
  path: string,
  { loader, gates, listener, audit, notifier, maintenance, log }: Reloaded,
): Reloader {
  let watches = watch();
  let stopped = false;
  /** Whether everything that the configuration names could be had, the last time that it was loaded. */
  let loadable = true;
  const attempts = reloadAttempts({
    replace,
    isPossible,
    refuse(error, cause) {
      reportRefusal(log, "reload refused", error);
      record(gates.current.gate.configuration, reloadRejectedEvent(refusalFaults(error), cause));
      publishRefusal(configurationReload, error);
    },
    describe: describeRefusal,
    retry: "retry",
  });

  function watch(): FileWatch[] {
    const { loaded, gate } = gates.current;
    const onError = (error: Error): void => reportUnreadableFile(log, error);
    const configuration = watchFiles([path], () => void attempts.reload("file"), { since: [loaded.source], onError });
    const { tls: identity } = gate;
    const { tls } = gate.configuration.listen;
    if (identity === undefined || tls === undefined) return [configuration];
    return [configuration, followCertificate(tls, identity, listener.setTls, log)];
  }

  function unwatch(): void {
    for (const { close } of watches) close();
  }

  /** Everything new is built, and the new socket opened, before anything old is given up. */
  async function replace(cause: ReloadCause): Promise<void> {
    loadable = false;
    const next = await loader.load();
    loadable = true;
    const { gate } = next;
    const former = gates.current.gate.configuration;
    if (stopped) return gate.retire();
    let anew: boolean;
    let prepared: PreparedAudit | undefined;
    let endpoints: PreparedEndpoints | undefined;
    try {
      endpoints = await notifier.prepare(next.loaded);
      prepared = await audit.prepare(gate.configuration.audit);
      anew = await listener.change(listenerSetup(gate));
    } catch (error) {
      await prepared?.discard();
      endpoints?.discard();
      await gate.retire();
      throw error;
    }
    gates.replace(next);
    maintenance.apply(gate.configuration.maintenance);
    const notifying = endpoints.commit();
    log.level = logLevelOf(gate.configuration.log);
    unwatch();
    watches = watch();
    log.info({ event: "reloaded" }, "configuration reloaded");
    publishReload(configurationReload);
    const event = reloadedEvent(former, gate.configuration, cause);
    prepared.commit(isRecorded(former, event) ? event : undefined);
    record(gate.configuration, event);
    if (anew) reportListening(log, listener);
    reportWarnings(log, warningsOf(gate));
    await notifying;
  }

  function record(configuration: Configuration, event: AuditEvent): void {
    // The audit counts and reports its failures.
    if (isRecorded(configuration, event)) audit.write(event).catch(() => {});
  }

  /** A listener that could not be moved is left alone: each attempt may disturb the one that there is. */
  async function isPossible(): Promise<boolean> {
    // An edit of the file is watched.
    if (loadable || !(await isWellFormed(path))) return false;
    // Backends would say the same at every attempt.
    await loader.rehearse();
    return true;
  }

  return {
    reload: attempts.reload,
    async stop() {
      stopped = true;
      unwatch();
      await attempts.stop();
      // A reload that had begun may have watched files anew.
      unwatch();
    },
  };
}

function isRecorded({ audit }: Configuration, { event }: AuditEvent): boolean {
  return audit !== undefined && recordedEvents(audit).has(event);
}
