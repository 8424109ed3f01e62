import { silentLog } from "@registry-gate/auth-kit";
import { type AuditConfiguration, recordedEvents } from "../config/sections/audit.ts";
import type { AuditEvent } from "./audit-event.ts";
import { auditFile } from "./audit-file.ts";
import { auditWriter } from "./audit-writer.ts";
import { failureReason } from "./line-destination.ts";
import { syslogServer } from "./syslog.ts";

/** How long a command waits until its event is written, in milliseconds. */
const timeLimit = 5000;

/**
 * Records an event of a command, beside the gate that runs. The file is only appended to: it is the gate that rotates it.
 *
 * @returns why the event was not recorded, where it should be.
 */
export async function recordAlone(
  configuration: AuditConfiguration | undefined,
  event: AuditEvent,
): Promise<string | undefined> {
  if (configuration === undefined || !recordedEvents(configuration).has(event.event)) return undefined;
  const { output } = configuration;
  if (output === "stdout") return "the standard output of the gate is not that of a command";
  const destination =
    typeof output === "object" && "file" in output
      ? auditFile({ path: output.file, maxSize: Number.POSITIVE_INFINITY }, silentLog)
      : syslogServer(typeof output === "string" ? {} : output.syslog);
  const writer = auditWriter(destination, silentLog);
  try {
    await writer.write(event);
    return undefined;
  } catch (error) {
    return failureReason(error);
  } finally {
    await writer.close(timeLimit);
  }
}
