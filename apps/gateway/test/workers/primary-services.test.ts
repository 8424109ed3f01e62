import { expect, onTestFinished, test } from "vitest";
import type { AuditEvent } from "../../src/audit/audit-event.ts";
import { type AuditFailure, auditFailure } from "../../src/observe/audit-failure.ts";
import { type MessagePort, openChannel } from "../../src/workers/channel.ts";
import { servicesOfPrimary } from "../../src/workers/primary-services.ts";

const event: AuditEvent = { id: "1", time: "2026-11-28T00:00:00.000Z", event: "push", outcome: "completed" };

/** One end of a connection whose other end is up to the test. */
function port(): MessagePort & { close(): void } {
  let onClose = (): void => {};
  return {
    send() {},
    onMessage() {},
    onClose(listener) {
      onClose = listener;
    },
    close: () => onClose(),
  };
}

test("an event that the primary has not taken when it is gone is counted as lost", async () => {
  const failures: AuditFailure[] = [];
  onTestFinished(auditFailure.subscribe((failure) => void failures.push(failure)));
  const end = port();
  const { auditSink } = servicesOfPrimary(openChannel(end));
  const written = auditSink.write(event);
  end.close();
  await expect(written).rejects.toThrow("the other process is gone");
  await expect(auditSink.write(event)).rejects.toThrow("the other process is gone");
  expect(failures.map(({ state, reason, lost, count }) => ({ state, reason, lost, count }))).toEqual([
    { state: "lost", reason: "closed", lost: 1, count: 1 },
    { state: "lost", reason: "closed", lost: 2, count: 1 },
  ]);
  expect(auditSink.ended).toBe(true);
});
