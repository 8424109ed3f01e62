import { isDeepStrictEqual } from "node:util";
import { InvalidOptionsError, type Logger } from "@registry-gate/auth";
import type { AuditConfiguration, AuditFileOutput, AuditOutput } from "../config/sections/audit.ts";
import type { LogOutput } from "../log/log-output.ts";
import type { AuditEvent } from "./audit-event.ts";
import { auditFile } from "./audit-file.ts";
import type { AuditSink } from "./audit-sink.ts";
import { type AuditWriter, auditWriter } from "./audit-writer.ts";
import { auditFileFault } from "./inspect-audit-file.ts";
import type { LineDestination } from "./line-destination.ts";
import { standardOutput } from "./standard-output.ts";
import { syslogServer } from "./syslog.ts";

/** The audit of a gateway: one writer, which another one can replace. */
export interface AuditSlot extends AuditSink {
  /**
   * Opens what a configuration names; nothing is written there before {@link PreparedAudit.commit}. Where that is what is
   * written to already, a file that was moved away is opened anew.
   *
   * @throws {InvalidOptionsError} with paths below `audit`; then it writes as before.
   */
  prepare(configuration: AuditConfiguration | undefined): Promise<PreparedAudit>;
  /** Takes no further event, and resolves when all are written, or after `timeLimit` milliseconds. */
  close(timeLimit: number): Promise<void>;
}

/** An audit that is open, but not in use. */
export interface PreparedAudit {
  /**
   * Puts it into use.
   *
   * @param farewell Recorded where events went until now, if that is somewhere else.
   */
  commit(farewell?: AuditEvent): void;
  discard(): Promise<void>;
}

interface Surroundings {
  readonly log: Logger;
  readonly standardOutput: Pick<LogOutput, "writeAcknowledged">;
}

/** How long the former writer may take to write what it has, in milliseconds. */
const handoverLimit = 10_000;

/** Opens nothing yet. */
export function auditSlot({ log, standardOutput: output }: Surroundings): AuditSlot {
  let current: { readonly output: AuditOutput; readonly writer: AuditWriter } | undefined;
  const closing = new Set<Promise<void>>();

  async function openDestination(to: AuditOutput): Promise<LineDestination> {
    if (to === "stdout") return standardOutput(output);
    if (to === "syslog") return syslogServer({});
    return "syslog" in to ? syslogServer(to.syslog) : openFile(to, log);
  }

  return {
    get failure() {
      return current?.writer.failure;
    },
    write: (event: AuditEvent) => current?.writer.write(event) ?? Promise.resolve(),
    async prepare(configuration) {
      if (configuration !== undefined && isDeepStrictEqual(current?.output, configuration.output)) {
        current?.writer.reopen();
        return { commit() {}, async discard() {} };
      }
      const next = configuration && {
        output: configuration.output,
        writer: auditWriter(await openDestination(configuration.output), log),
      };
      return {
        commit(farewell) {
          const former = current?.writer;
          current = next;
          if (former === undefined) return;
          if (farewell !== undefined) former.write(farewell).catch(() => {});
          const closed = former.close(handoverLimit);
          closing.add(closed);
          void closed.finally(() => closing.delete(closed));
        },
        discard: async () => next?.writer.close(0),
      };
    },
    async close(timeLimit) {
      await Promise.all([current?.writer.close(timeLimit), ...closing]);
    },
  };
}

async function openFile(to: AuditFileOutput, log: Logger): Promise<LineDestination> {
  const { file: path, ...options } = to;
  const file = auditFile({ path, ...options }, log);
  try {
    await file.open();
  } catch (error) {
    throw new InvalidOptionsError([auditFileFault(path, error)], { cause: error });
  }
  return file;
}
