import { execFile } from "node:child_process";
import { oneLine } from "../one-line.ts";

/** Sends notifications to the service manager, one after the other. */
export interface Notifications {
  /**
   * @param assignments Such as `READY=1` (sd_notify(3), "Well-known assignments"). Each is one line.
   * @returns when the service manager has them, or could not be told.
   */
  send(assignments: readonly string[]): Promise<void>;
}

/** How long one notification may take, in milliseconds. */
const timeLimit = 10_000;

/**
 * Notifications by `systemd-notify`, a part of systemd: Node has no datagram sockets in the file system. It waits until the
 * service manager has read them, so they keep their order and are known to come from this service. That the sender is a child
 * of the service's main process is why the unit needs `NotifyAccess=all`.
 *
 * A failure is reported once: it must not keep the gate from its work.
 */
export function openNotifications(report: (reason: string) => void): Notifications {
  let last = Promise.resolve();
  let failed = false;
  return {
    send(assignments) {
      last = last.then(async () => {
        const failure = await notify(assignments);
        if (failure === undefined || failed) return;
        failed = true;
        report(failure);
      });
      return last;
    },
  };
}

/** Resolves with the reason where the service manager could not be told. */
function notify(assignments: readonly string[]): Promise<string | undefined> {
  return new Promise((resolve) => {
    execFile("systemd-notify", [...assignments], { timeout: timeLimit }, (error, _stdout, stderr) => {
      if (error === null) return resolve(undefined);
      resolve("code" in error && error.code === "ENOENT" ? "not found" : oneLine(stderr) || oneLine(error));
    });
  });
}
