import { resolve } from "node:path";
import { drainTimeoutOf } from "../config/sections/listen.ts";
import { logLevelOf } from "../config/sections/log.ts";
import type { Gate } from "../gate/gate.ts";
import { gateLoader } from "../gate/gate-loader.ts";
import { gateSlot } from "../gate/gate-slot.ts";
import { listenerSetup } from "../listener/listener-setup.ts";
import { type ListenerSlot, openListenerSlot } from "../listener/listener-slot.ts";
import { openLog } from "../log/log.ts";
import { reportListening, reportWarnings } from "../log/reports.ts";
import { type Reloaded, startReloader } from "../reload/reloader.ts";
import { warningsOf } from "../warnings/warnings.ts";
import { drain } from "./drain.ts";
import { listenerHandlers } from "./listener-handlers.ts";

/** A running gateway. */
export interface Gateway {
  /** Where it listens, such as `127.0.0.1:5043`. */
  readonly address: string;
  readonly secure: boolean;
  /** Whether new requests should be sent here: false from the moment that it stops or has failed. */
  readonly ready: boolean;
  /** Reads the configuration again. An invalid one is logged and rejected; the running configuration stays. */
  reload(): Promise<void>;
  /** Logs an uncaught error, and is ready no more. The process should be ended, after {@link Gateway.close}. */
  reportUncaught(error: unknown): void;
  /**
   * Accepts nothing more, lets requests finish, and cuts those that have not in time for the end. Later calls wait for the
   * first.
   *
   * @param timeLimit By when it resolves, in milliseconds, whatever clients, backends and the reader of the log do; 400 ms
   * for the end itself are always taken. Default: `listen.drainTimeout`.
   */
  close(timeLimit?: number): Promise<void>;
}

/**
 * Starts the gateway that a configuration file describes, and follows the file.
 *
 * @throws {InvalidOptionsError} with every fault; then nothing is left running.
 */
export async function startGateway(file: string): Promise<Gateway> {
  const path = resolve(file);
  const log = openLog();
  const { logger } = log;
  let closing: Promise<void> | undefined;
  let failed = false;
  const isReady = (): boolean => closing === undefined && !failed;

  const loader = gateLoader(path, logger);
  const gates = gateSlot(await loader.load());
  const currentGate = (): Gate => gates.current.gate;
  logger.level = logLevelOf(currentGate().configuration.log);
  let listener: ListenerSlot;
  try {
    listener = await openListenerSlot(listenerSetup(currentGate()), listenerHandlers({ currentGate, isReady }, logger));
  } catch (error) {
    await gates.retire();
    throw error;
  }
  reportListening(logger, listener);
  reportWarnings(logger, warningsOf(currentGate()));
  const running: Reloaded = {
    get current() {
      return gates.current;
    },
    listening: listener,
    load: () => loader.load(),
    async apply(next) {
      try {
        const anew = await listener.change(listenerSetup(next.gate));
        gates.replace(next);
        return anew;
      } catch (error) {
        await next.gate.retire();
        throw error;
      }
    },
    setTls: listener.setTls,
  };
  const reloader = startReloader(path, running, { loader, log: logger });

  async function finish(): Promise<void> {
    const first = listener.close();
    await reloader.stop();
    // A reload that had begun may have put another listener in its place.
    await Promise.all([first, listener.close()]);
    await gates.retire();
    await listener.departed();
  }

  return {
    get address() {
      return listener.name;
    },
    get secure() {
      return listener.secure;
    },
    get ready() {
      return isReady();
    },
    reload: reloader.reload,
    reportUncaught(error) {
      failed = true;
      logger.error({ event: "uncaught error", err: error }, "uncaught error; shutting down");
    },
    close(timeLimit) {
      // It counts as closing before anything else happens.
      closing ??= Promise.resolve().then(() =>
        drain(log, timeLimit ?? drainTimeoutOf(currentGate().configuration.listen), { finish, cut: listener.cut }),
      );
      return closing;
    },
  };
}
