import { atEndOfTurn } from "../end-of-turn.ts";
import type { Transport } from "../transport.ts";
import type { ConnectionPool } from "./connection-pool.ts";
import { Exchange } from "./exchange.ts";
import { requestHead } from "./request-head.ts";

/** Sends the requests of the registry's API, on its own connections. */
export function directTransport(pool: ConnectionPool): Transport {
  /** Pending input on idle connections was read before: only a silent, open one is reused. */
  const sendOnIdle: (exchange: Exchange) => void = atEndOfTurn((exchange) => {
    const { connectionKey } = exchange;
    if (!exchange.over) (pool.take(connectionKey) ?? pool.open(connectionKey)).send(exchange);
  });

  return {
    send(request, sink, { fresh = false } = {}) {
      const { connectionKey, body } = request;
      const exchange = new Exchange(requestHead(request), body, sink, connectionKey);
      if (fresh || !pool.hasIdle(connectionKey)) pool.open(connectionKey).send(exchange);
      else sendOnIdle(exchange);
      return exchange;
    },
    close: () => pool.close(),
  };
}
