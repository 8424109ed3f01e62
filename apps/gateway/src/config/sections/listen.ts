import { timerDelay } from "@registry-gate/auth";
import { type AddressSet, addressSet } from "@registry-gate/auth-kit";
import type { CorsOptions, RegistryProxyOptions } from "@registry-gate/core";
import { z } from "zod";
import { type ListenAddress, parseListenAddress } from "../address.ts";
import type { Section } from "../section.ts";
import { duration, list, text, trueOrFalse, wholeNumber } from "../value-schemas.ts";
import { type TlsConfiguration, tlsSchema, tlsWithAbsolutePaths } from "./listen-tls.ts";

export interface ListenConfiguration {
  readonly address: ListenAddress;
  /** Of the file of a Unix socket. */
  readonly socketMode?: number;
  /** A name or a number. */
  readonly socketGroup?: string | number;
  /** Whether another process may listen on the same address, and takes over before this one ends. */
  readonly shared?: boolean;
  readonly tls?: TlsConfiguration;
  readonly trustedProxies?: readonly string[];
  /** Pages of other origins that may use the registry. */
  readonly cors?: CorsOptions;
  /** Where load balancers ask whether the gate is there. */
  readonly healthPath?: string;
  /** How long requests that have begun may take to finish when the gate stops. */
  readonly drainTimeout?: number;
  readonly headersTimeout?: number;
  readonly maxConnections?: number;
}

const addressForm = "must be host:port, [IPv6 address]:port, a port alone, unix:/path or systemd:NAME";
const address: z.ZodType<ListenAddress, string | number> = z
  .union([z.string(), z.int()], addressForm)
  .transform((value, context) => {
    const parsed = parseListenAddress(String(value));
    if (parsed !== undefined) return parsed;
    context.addIssue({ code: "custom", message: addressForm });
    return z.NEVER;
  });

const modeExample = 'must be a mode in quotes, such as "0660"';
/** In quotes: YAML takes 0660 for the number 660. */
const mode: z.ZodType<number, string> = z
  .string(modeExample)
  .regex(/^0?[0-7]{3}$/, modeExample)
  .transform((value) => Number.parseInt(value, 8));

const pathExample = "must be a path of plain segments, such as /healthz";
/** In one spelling only, and not where the registry is, in no spelling. */
const healthPath = text()
  .regex(/^\/(?:[A-Za-z0-9._~-]+\/)*[A-Za-z0-9._~-]*$/, pathExample)
  .regex(/^(?!.*\/\.{1,2}(?:\/|$))/, pathExample)
  .regex(/^(?!\/[vV]2(?:\/|$))/, "must not be below /v2/, where the registry is");

const cors: z.ZodType<CorsOptions> = z.strictObject(
  {
    origins: list(text()).describe("Exact origins, such as https://ui.example.com"),
    credentials: trueOrFalse()
      .describe("Whether their pages may have the browser add a remembered login; false by default")
      .exactOptional(),
  },
  "must hold origins",
);

const schema: z.ZodType<ListenConfiguration> = z.strictObject(
  {
    address: address.describe(
      "host:port, [IPv6 address]:port, a port alone (at every address), unix:/path, or systemd: for a socket that systemd passes",
    ),
    socketMode: mode.describe('The mode of a Unix socket, such as "0660"').exactOptional(),
    socketGroup: z
      .union([text(), z.int().min(0)], "must be the name or the number of a group")
      .describe("The group of a Unix socket: a name in /etc/group, or a number")
      .exactOptional(),
    shared: trueOrFalse()
      .describe("Whether a second process may listen on the same address, to take over; false by default")
      .exactOptional(),
    tls: tlsSchema.describe("Plain HTTP by default").exactOptional(),
    trustedProxies: list(text())
      .describe("Addresses and CIDR blocks whose X-Forwarded-* and Forwarded are believed; unix: for Unix sockets")
      .exactOptional(),
    cors: cors
      .describe("Pages of other origins that may use the registry from a browser, such as a registry's UI")
      .exactOptional(),
    healthPath: healthPath.describe("The path of health checks, such as /healthz, which need no login").exactOptional(),
    drainTimeout: duration()
      .describe("How long requests that have begun may take to finish after SIGTERM; 30s by default")
      .exactOptional(),
    headersTimeout: duration()
      .describe("How long a client may take for the head of a request; 30s by default")
      .exactOptional(),
    maxConnections: wholeNumber().describe("How many connections are served at once; 10000 by default").exactOptional(),
  },
  "must hold address",
);

export const listenSection: Section<ListenConfiguration> = {
  schema,
  substitutes: [
    { path: ["address"], value: "127.0.0.1:0" },
    { path: [], value: { address: "127.0.0.1:0" } },
  ],
  withAbsolutePaths: ({ address, tls, ...rest }, absolute) => ({
    ...rest,
    address: "socket" in address ? { socket: absolute(address.socket) } : address,
    ...(tls && { tls: tlsWithAbsolutePaths(tls, absolute) }),
  }),
  optionKeys: { trustedProxies: "trustedProxies", cors: "cors" },
};

/** Options of the middleware. */
export function listenOptions({
  trustedProxies,
  cors,
}: ListenConfiguration): Pick<RegistryProxyOptions, "trustedProxies" | "cors"> {
  return { ...(trustedProxies !== undefined && { trustedProxies }), ...(cors !== undefined && { cors }) };
}

/** Where a listener listens, and how. */
export type ListenPlace = Pick<ListenConfiguration, "address" | "socketMode" | "socketGroup" | "shared">;

export function listenPlace({ address, socketMode, socketGroup, shared }: ListenConfiguration): ListenPlace {
  return {
    address,
    ...(socketMode !== undefined && { socketMode }),
    ...(socketGroup !== undefined && { socketGroup }),
    ...(shared !== undefined && { shared }),
  };
}

/** What this section limits at the listener; durations are delays for a timer. */
export function listenLimits({
  headersTimeout = 30_000,
  maxConnections = 10_000,
  trustedProxies,
}: ListenConfiguration): {
  readonly headersTimeout: number;
  readonly maxConnections: number;
  readonly trustedProxies: AddressSet;
} {
  return {
    headersTimeout: timerDelay(headersTimeout),
    maxConnections,
    trustedProxies: addressSet(trustedProxies ?? []),
  };
}

/** In milliseconds. */
export function drainTimeoutOf({ drainTimeout = 30_000 }: ListenConfiguration): number {
  return drainTimeout;
}
