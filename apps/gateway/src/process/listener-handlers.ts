import type { Logger } from "@registry-gate/auth";
import type { Gate } from "../gate/gate.ts";
import type { HandshakeFailure } from "../listener/handshake-failure.ts";
import { respondToHealthCheck } from "../listener/health-check.ts";
import type { ListenerHandlers } from "../listener/listener.ts";
import { connectionLimit, handshakeFailed, requestUnreadable } from "../observe/connections.ts";

/** Where requests go. */
export interface Reception {
  /** Requests always go to the gate that is current when they begin, and stay with it. */
  readonly currentGate: () => Gate;
  /** Whether new requests should be sent here. */
  readonly isReady: () => boolean;
}

const period = 1000;
/** In the log each second, at most; the others are counted. */
const mostFailedHandshakes = 5;

/** Passes requests to the current gate, and logs what never became a request. */
export function listenerHandlers({ currentGate, isReady }: Reception, log: Logger): ListenerHandlers {
  const reportHandshake = limitReports<HandshakeFailure>(
    mostFailedHandshakes,
    (failure) => log.info({ event: "handshake failed", ...failure }, "TLS handshake failed"),
    (leftOut) => log.info({ event: "handshake failed", leftOut }, "further TLS handshakes failed"),
  );
  return {
    checkHealth(request, response) {
      const { healthPath } = currentGate().configuration.listen;
      const status = respondToHealthCheck(healthPath, isReady(), request, response);
      if (status !== undefined) log.debug({ event: "health check", status }, "health check");
      return status !== undefined;
    },
    handle: (request, response) => currentGate().handle(request, response),
    unreadable(request) {
      log.info({ event: "unreadable", ...request }, "unreadable request refused");
      requestUnreadable.publish(() => ({ status: request.status }));
    },
    pressure(pressure) {
      log.warn({ event: "connections closed", ...pressure }, "connections closed because a limit was reached");
      const { refused, evicted } = pressure;
      connectionLimit.publish(() => ({ refused, evicted }));
    },
    handshakeFailed(failure) {
      reportHandshake(failure);
      handshakeFailed.publish(() => ({ code: failure.code }));
    },
    plain: (request) =>
      log.info({ event: "plain HTTP", status: 400, ...request }, "plain HTTP request refused on a TLS port"),
  };
}

/**
 * Limits reports to a number a second, so that faulty clients do not fill the log. Further ones are counted.
 *
 * @param leftOut Called at the end of the second with the number of reports that were left out.
 */
export function limitReports<T>(
  mostPerSecond: number,
  report: (item: T) => void,
  leftOut: (count: number) => void,
): (item: T) => void {
  let count = 0;
  const end = (): void => {
    const beyond = count - mostPerSecond;
    count = 0;
    if (beyond > 0) leftOut(beyond);
  };
  return (item) => {
    if (count === 0) setTimeout(end, period).unref();
    count++;
    if (count <= mostPerSecond) report(item);
  };
}
