import { InvalidOptionsError } from "@registry-gate/auth";
import type { OpenPortalIn } from "../gate/gate-portal.ts";
import { oneLine } from "../one-line.ts";
import type { Gateway } from "../process/gateway.ts";
import { catchUncaughtErrors } from "../process/uncaught-errors.ts";
import { limitYoungGeneration } from "../process/young-generation.ts";
import { connectServiceManager } from "../service-manager/service-manager.ts";
import { openGateway } from "../workers/open-gateway.ts";
import { runWorker } from "../workers/worker.ts";
import { isGateWorker } from "../workers/worker-mark.ts";
import { reportFaults } from "./config-file.ts";

/**
 * Runs a gateway until a signal ends it: what `serve` and `portal` have in common.
 *
 * @param portal Opens the pages beside the registry; `undefined`: there are none.
 * @returns the exit code.
 */
export async function runGateway(file: string, portal: OpenPortalIn | undefined): Promise<number> {
  limitYoungGeneration();
  // Plugins may write there; that nobody reads it must not end the process. The log sees to the standard output.
  process.stderr.on("error", () => {});
  if (isGateWorker()) process.exit(await runWorker(portal));
  // Signals are listened for first: one that comes while the gateway starts would end the process.
  let running: Gateway | undefined;
  const stop = stopSignal(() => running?.skipDrainDelay() === true);

  const uncaught = catchUncaughtErrors((error) => {
    if (running === undefined) failStart(error);
    else running.reportUncaught(error);
  });
  const serviceManager = connectServiceManager(process.env, process.pid, reportUnnotified);
  try {
    const starting = openGateway(file, { portal });
    const onSignal = (signal: NodeJS.Signals, act: (gateway: Gateway) => unknown): void => {
      process.on(signal, () => {
        starting.then(act, () => {});
      });
    };
    onSignal("SIGHUP", (gateway) => serviceManager.reload(() => gateway.reload()));
    onSignal("SIGUSR2", (gateway) => gateway.toggleReadOnly());
    running = await starting;
    serviceManager.ready(running.address);
    await Promise.race([stop, uncaught.first]);
    serviceManager.stopping();
    await running.close();
  } catch (error) {
    if (!(error instanceof InvalidOptionsError)) throw error;
    reportFaults(file, error.faults);
    return 1;
  }
  // A plugin may have left behind what would keep the process: a timer, a connection.
  process.exit(uncaught.count > 0 ? 1 : 0);
}

/** With `Type=notify` systemd would wait in vain, and end the service: the reason is to be found. */
function reportUnnotified(reason: string): void {
  process.stderr.write(`registry-gate: cannot notify the service manager with systemd-notify: ${reason}\n`);
}

/** Before there is a gateway, there is nothing to wait for. */
function failStart(error: unknown): never {
  process.stderr.write(`registry-gate: ${oneLine(error)}\n`);
  process.exit(1);
}

/** SIGQUIT is the graceful one of nginx and php-fpm, and by default would leave a core dump. */
const stopSignals = ["SIGTERM", "SIGINT", "SIGQUIT"] as const;

/**
 * The first signal lets requests finish; a second one ends the process at once.
 *
 * @param skip Ends a time in which requests are accepted still: then it takes one more signal.
 */
function stopSignal(skip: () => boolean): Promise<void> {
  return new Promise((resolve) => {
    let stopping = false;
    for (const signal of stopSignals) {
      process.on(signal, () => {
        if (stopping && !skip()) process.exit(1);
        stopping = true;
        resolve();
      });
    }
  });
}
