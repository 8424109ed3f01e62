import type { UpstreamOptions } from "../options/options.ts";
import { isFramable } from "./direct/request-head.ts";
import type { Transport } from "./transport.ts";

/** Opens a transport of each kind, once. */
export interface TransportOpeners {
  readonly direct: () => Transport;
  readonly library: () => Transport;
}

/** A transport that is not needed is not opened. With `auto` the library gets what the direct transport cannot send. */
export function chooseTransport(choice: NonNullable<UpstreamOptions["transport"]>, open: TransportOpeners): Transport {
  if (choice !== "auto") return open[choice]();
  const direct = open.direct();
  let library: Transport | undefined;
  return {
    send(request, sink, options) {
      if (isFramable(request)) return direct.send(request, sink, options);
      library ??= open.library();
      return library.send(request, sink, options);
    },
    close() {
      direct.close();
      library?.close();
    },
  };
}
