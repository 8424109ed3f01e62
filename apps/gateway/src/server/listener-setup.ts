import { connectionLimits } from "../config/sections/limits.ts";
import { type ListenPlace, listenLimits, listenPlace } from "../config/sections/listen.ts";
import { upstreamLimits } from "../config/sections/upstream.ts";
import type { Gate } from "./gate.ts";
import type { ListenerLimits } from "./listener.ts";
import type { TlsIdentity } from "./tls.ts";

/** What a gate wants of its listener. */
export interface ListenerSetup {
  readonly place: ListenPlace;
  /** Undefined: plain HTTP. */
  readonly tls: TlsIdentity | undefined;
  readonly limits: ListenerLimits;
}

/** Gathers it from the sections of the gate's configuration. */
export function listenerSetup({ configuration, tls }: Pick<Gate, "configuration" | "tls">): ListenerSetup {
  const { listen, limits, upstream } = configuration;
  return {
    place: listenPlace(listen),
    tls,
    limits: { ...listenLimits(listen), ...connectionLimits(limits), ...upstreamLimits(upstream) },
  };
}
