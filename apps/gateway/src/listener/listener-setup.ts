import type { Configuration } from "../config/configuration.ts";
import { connectionLimits } from "../config/sections/limits.ts";
import { type ListenPlace, listenLimits, listenPlace } from "../config/sections/listen.ts";
import { upstreamLimits } from "../config/sections/upstream.ts";
import type { TlsIdentity } from "../tls/tls-identity.ts";
import type { ListenerLimits } from "./listener.ts";

/** Where a gate listens, with which certificate and within which limits. */
export interface ListenerSetup {
  readonly place: ListenPlace;
  /** Undefined: plain HTTP. */
  readonly tls: TlsIdentity | undefined;
  readonly limits: ListenerLimits;
}

/** A configuration whose certificate has been read. */
interface Configured {
  readonly configuration: Configuration;
  readonly tls: TlsIdentity | undefined;
}

/** Derives the setup from the sections of a configuration. */
export function listenerSetup({ configuration, tls }: Configured): ListenerSetup {
  const { listen, limits, upstream } = configuration;
  return {
    place: listenPlace(listen),
    tls,
    limits: { ...listenLimits(listen), ...connectionLimits(limits), ...upstreamLimits(upstream) },
  };
}
