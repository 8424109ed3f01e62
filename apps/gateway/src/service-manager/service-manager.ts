import { configurationReload } from "../observe/reloads.ts";
import { openNotifications } from "./notifications.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** What the process that systemd has started tells it (sd_notify(3)). Nothing happens where there is no service manager. */
export interface ServiceManager {
  /** The service has started. @param address Where it listens. */
  ready(address: string): void;
  /** Tells when a reload of the configuration begins and when it has ended, whatever became of it. */
  reload(attempt: () => Promise<void>): Promise<void>;
  /** The service is about to end. */
  stopping(): void;
}

/** Where there is none, nothing is told. */
const noServiceManager: ServiceManager = {
  ready() {},
  reload: (attempt) => attempt(),
  stopping() {},
};

/**
 * Finds the service manager in `NOTIFY_SOCKET`, and how often it wants to hear from the process in `WATCHDOG_USEC`.
 *
 * @param report Called once, with the reason, where the service manager cannot be told.
 */
export function connectServiceManager(
  environment: Environment,
  pid: number,
  report: (reason: string) => void,
): ServiceManager {
  if ((environment.NOTIFY_SOCKET ?? "") === "") return noServiceManager;
  const { send } = openNotifications(report);
  const interval = watchdogInterval(environment, pid);
  let listening = "";
  let stopping = false;

  function status(text: string): string {
    return `STATUS=${text.replaceAll(/\s+/g, " ")}`;
  }

  configurationReload.subscribe(({ outcome, faults }) => {
    if (stopping) return;
    const text = outcome === "reloaded" ? "configuration reloaded" : refusal(faults);
    void send([status(`${listening}; ${text} at ${new Date().toISOString()}`)]);
  });

  return {
    ready(address) {
      listening = `listening on ${address}`;
      void send(["READY=1", status(listening)]);
      if (interval !== undefined) keepAlive(interval, () => send(["WATCHDOG=1"]));
    },
    async reload(attempt) {
      // `Type=notify-reload` compares the time with that of its signal: it is taken here, before anything waits.
      if (!stopping) void send(["RELOADING=1", `MONOTONIC_USEC=${process.hrtime.bigint() / 1000n}`]);
      try {
        await attempt();
      } finally {
        if (!stopping) void send(["READY=1"]);
      }
    },
    stopping() {
      stopping = true;
      void send(["STOPPING=1", status("waiting for requests in flight")]);
    },
  };
}

function refusal(faults: number): string {
  const where = faults === 0 ? "see the log" : `faults in the log: ${faults}`;
  return `reload rejected, keeping the running configuration (${where})`;
}

/** Half of what the service manager waits for, in milliseconds; `undefined` where it does not wait for this process. */
function watchdogInterval(
  { WATCHDOG_USEC: time = "", WATCHDOG_PID: of }: Environment,
  pid: number,
): number | undefined {
  if (!/^[1-9]\d{0,15}$/.test(time) || (of !== undefined && of !== String(pid))) return undefined;
  return Math.min(Math.max(Number(time) / 2000, 1), 2 ** 31 - 1);
}

/** A timer of the event loop: nothing is sent where the loop stands still. */
function keepAlive(interval: number, send: () => Promise<void>): void {
  let sending = false;
  setInterval(() => {
    // Where a notification takes long, no others are lined up behind it.
    if (sending) return;
    sending = true;
    void send().finally(() => {
      sending = false;
    });
  }, interval).unref();
}
