import { type FileWatch, watchFiles } from "@registry-gate/watched-file";
import type { Logger } from "pino";
import type { AuditEvent, ReloadCause } from "../audit/audit-event.ts";
import type { AuditSink } from "../audit/audit-sink.ts";
import { reloadedEvent, reloadRejectedEvent } from "../audit/gateway-events.ts";
import type { Configuration } from "../config/configuration.ts";
import { recordedEvents } from "../config/sections/audit.ts";
import { logLevelOf } from "../config/sections/log.ts";
import type { GateLoader } from "../gate/gate-loader.ts";
import { isWellFormed, type LoadedGate } from "../gate/load-gate.ts";
import {
  describeRefusal,
  refusalFaults,
  reportListening,
  reportRefusal,
  reportUnreadableFile,
  reportWarnings,
} from "../log/reports.ts";
import { configurationReload, publishRefusal, publishReload } from "../observe/reloads.ts";
import type { TlsIdentity } from "../tls/tls-identity.ts";
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

/** The running gateway that a reload changes. */
export interface Reloaded {
  /** What is in force. */
  readonly current: LoadedGate;
  /** Where it listens. */
  readonly listening: { readonly name: string; readonly secure: boolean };
  /**
   * Reads the configuration and builds a gate of it.
   *
   * @throws {InvalidOptionsError} with every fault.
   */
  load(): Promise<LoadedGate>;
  /**
   * Puts it in force.
   *
   * @param farewell Recorded where the audit went until now, if that is somewhere else.
   * @throws whatever keeps it from that. Then nothing has changed, and the gate is retired.
   */
  apply(next: LoadedGate, farewell: AuditEvent | undefined): Promise<Applied>;
  /** Uses another certificate for new connections. */
  setTls(identity: TlsIdentity): void;
}

/** What a new configuration has led to. */
export interface Applied {
  /** Whether another listener was opened. */
  readonly anew: boolean;
  /** Resolves when what the former configuration had is closed. */
  readonly finished: Promise<void>;
}

/** What a reloader works with. */
export interface ReloadTools {
  readonly loader: GateLoader;
  readonly audit: AuditSink;
  readonly log: Logger;
}

/** Follows the configuration file, and the certificate files that the running gate uses. */
export function startReloader(path: string, running: Reloaded, { loader, audit, log }: ReloadTools): Reloader {
  let watches = watch();
  let stopped = false;
  /** Whether everything that the configuration names could be had, the last time that it was loaded. */
  let loadable = true;
  const attempts = reloadAttempts({
    replace,
    isPossible,
    refuse(error, cause) {
      reportRefusal(log, "reload refused", error);
      record(running.current.gate.configuration, reloadRejectedEvent(refusalFaults(error), cause));
      publishRefusal(configurationReload, error);
    },
    describe: describeRefusal,
    retry: "retry",
  });

  function watch(): FileWatch[] {
    const { loaded, gate } = running.current;
    const onError = (error: Error): void => reportUnreadableFile(log, error);
    const configuration = watchFiles([path], () => void attempts.reload("file"), { since: [loaded.source], onError });
    const { tls: identity } = gate;
    const { tls } = gate.configuration.listen;
    if (identity === undefined || tls === undefined) return [configuration];
    return [configuration, followCertificate(tls, identity, running.setTls, log)];
  }

  function unwatch(): void {
    for (const { close } of watches) close();
  }

  /** Everything new is built, and the new socket opened, before anything old is given up. */
  async function replace(cause: ReloadCause): Promise<void> {
    loadable = false;
    const next = await running.load();
    loadable = true;
    const { gate } = next;
    const former = running.current.gate.configuration;
    const event = await reloadedEvent(former, gate.configuration, cause);
    if (stopped) return gate.retire();
    const { anew, finished } = await running.apply(next, isRecorded(former, event) ? event : undefined);
    log.level = logLevelOf(gate.configuration.log);
    unwatch();
    watches = watch();
    log.info({ event: "reloaded" }, "configuration reloaded");
    publishReload(configurationReload);
    record(gate.configuration, event);
    if (anew) reportListening(log, running.listening);
    reportWarnings(log, await warningsOf(gate));
    await finished;
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
