import type { ReadOnlySwitch } from "@registry-gate/core";
import type { AdminSlot } from "../admin/admin-slot.ts";
import type { AuditEvent } from "../audit/audit-event.ts";
import { type AuditSlot, auditSlot } from "../audit/audit-slot.ts";
import { type Notifier, openNotifier } from "../events/notifier.ts";
import type { LoadedGate } from "../gate/load-gate.ts";
import type { GatewayLog } from "../log/log.ts";
import { type Maintenance, openMaintenance } from "../maintenance/maintenance.ts";

/** What a gateway has once, however many processes handle its requests. */
export interface GatewayServices {
  readonly audit: AuditSlot;
  readonly notifier: Notifier;
  readonly maintenance: Maintenance;
  /**
   * Opens what another configuration names, and puts nothing in force.
   *
   * @throws {InvalidOptionsError} with paths from the root of the configuration; then everything is as before.
   */
  prepare(next: LoadedGate): Promise<PreparedServices>;
  /** Waits until the connections of the admin listener have ended, and for endpoints, but not for the audit. */
  close(): Promise<void>;
  /** What is written last: the audit of the last requests, and then what the log says about it. */
  readonly outputs: Pick<GatewayLog, "logger" | "drained">;
}

/** Exactly one of both is called. */
export interface PreparedServices {
  /**
   * @param farewell Recorded where the audit went until now, if that is somewhere else.
   * @returns when what the former configuration had is closed.
   */
  commit(farewell?: AuditEvent): Promise<void>;
  discard(): Promise<void>;
}

export function gatewayServices(log: GatewayLog, readOnly: ReadOnlySwitch, admin: AdminSlot): GatewayServices {
  const { logger } = log;
  const maintenance = openMaintenance(readOnly, logger);
  const audit = auditSlot({ log: logger, standardOutput: log.output });
  const notifier = openNotifier(logger);
  return {
    ...{ audit, notifier, maintenance },
    async prepare({ loaded, gate }) {
      const opened: (() => unknown)[] = [];
      const discard = async (): Promise<void> => {
        for (const undo of opened.reverse()) await undo();
      };
      try {
        const endpoints = await notifier.prepare(loaded);
        opened.push(endpoints.discard);
        const prepared = await audit.prepare(gate.configuration.audit);
        opened.push(prepared.discard);
        const listener = await admin.prepare(gate.configuration);
        opened.push(listener.abort);
        return {
          async commit(farewell) {
            maintenance.apply(gate.configuration.maintenance);
            const closed = endpoints.commit();
            prepared.commit(farewell);
            listener.commit();
            await closed;
          },
          discard,
        };
      } catch (error) {
        await discard();
        throw error;
      }
    },
    async close() {
      maintenance.close();
      await notifier.close();
      // To the last, it says that the gate is alive and not ready.
      await admin.close();
    },
    outputs: {
      logger,
      async drained(limit) {
        await audit.close(limit);
        await log.drained(limit);
      },
    },
  };
}
