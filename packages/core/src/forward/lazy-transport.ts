import type { Transfer, Transport } from "./transport.ts";
import { asError } from "./transport-errors.ts";

/** A transport that is loaded with its first request: most gates need it seldom, and some never. */
export function lazyTransport(load: () => Promise<Transport>): Transport {
  let loading: Promise<Transport> | undefined;
  let loaded: Transport | undefined;
  let closed = false;

  async function open(): Promise<Transport> {
    const transport = await load();
    loaded = transport;
    // What has begun before goes on, as it does with any transport that is closed.
    if (closed) transport.close();
    return transport;
  }

  return {
    send(request, sink, how) {
      if (loaded !== undefined) return loaded.send(request, sink, how);
      let transfer: Transfer | undefined;
      let aborted = false;
      loading ??= open();
      loading.then(
        (transport) => {
          if (!aborted) transfer = transport.send(request, sink, how);
        },
        (error: unknown) => {
          if (!aborted) sink.failed({ kind: "unreachable", error: asError(error), stale: false });
        },
      );
      return {
        resume: () => transfer?.resume(),
        abort() {
          aborted = true;
          transfer?.abort();
        },
      };
    },
    close() {
      closed = true;
      loaded?.close();
    },
  };
}
