import type { Fault } from "@registry-gate/auth";
import { z } from "zod";
import { defaultAdminAddress, everyAddress, type ListenAddress, parseAdminAddress } from "../address.ts";
import type { Section } from "../section.ts";
import { durationOrZero } from "../value-schemas.ts";
import type { ListenConfiguration, ListenPlace } from "./listen.ts";

/** Where the gate can be watched: health, readiness and metrics. */
export interface AdminConfiguration {
  readonly address?: ListenAddress;
  /** For how long the gate goes on accepting requests after it has said that it is not ready, when it stops. */
  readonly drainDelay?: number;
  /** What else must be in order, besides the gate itself, for it to be ready. */
  readonly requires?: readonly RequiredPart[];
}

/** `backends`: at least one of them. */
export type RequiredPart = "backends" | "registry" | "state";

const defaultDrainDelay = 5000;
const defaultRequires: readonly RequiredPart[] = ["backends", "registry"];

const addressForm = "must be host:port, [IPv6 address]:port, a port alone or unix:/path";
const address: z.ZodType<ListenAddress, string | number> = z
  .union([z.string(), z.int()], addressForm)
  .transform((value, context) => {
    const parsed = parseAdminAddress(String(value));
    if (parsed !== undefined) return parsed;
    context.addIssue({ code: "custom", message: addressForm });
    return z.NEVER;
  });

const schema: z.ZodType<AdminConfiguration> = z.strictObject(
  {
    address: address
      .describe("host:port, [IPv6 address]:port, a port alone (of 127.0.0.1) or unix:/path; 127.0.0.1:9043 by default")
      .exactOptional(),
    drainDelay: durationOrZero()
      .describe("How long the gate accepts requests after /readyz has become 503 when it stops; 5s by default")
      .exactOptional(),
    requires: z
      .array(
        z.enum(["backends", "registry", "state"], "must be backends, registry or state"),
        "must be a list of backends, registry and state",
      )
      .describe("What must be in order for /readyz to be 200; [backends, registry] by default")
      .exactOptional(),
  },
  "must hold address and drainDelay",
);

export const adminSection: Section<AdminConfiguration> = {
  // The bare key, which YAML takes for null, is enough to have one.
  schema: z.preprocess((value) => value ?? {}, schema),
  withAbsolutePaths: ({ address, ...rest }, absolute) => ({
    ...rest,
    ...(address && { address: "socket" in address ? { socket: absolute(address.socket) } : address }),
  }),
};

/** Where the admin listener listens. As that of requests, it can be shared with a process that takes over. */
export function adminPlace({ address }: AdminConfiguration, { shared }: ListenConfiguration): ListenPlace {
  return {
    address: address ?? defaultAdminAddress,
    ...(shared !== undefined && { shared }),
  };
}

/** Finds that two listeners want the same place, as far as that can be known without listening. */
export function adminFaults(admin: AdminConfiguration | undefined, listen: ListenConfiguration): Fault[] {
  if (admin === undefined) return [];
  const { address } = adminPlace(admin, listen);
  if (!overlap(address, listen.address)) return [];
  return [
    { path: ["admin", "address"], message: "is taken by listen.address: the admin listener needs one of its own" },
  ];
}

function overlap(one: ListenAddress, other: ListenAddress): boolean {
  if ("socket" in one && "socket" in other) return one.socket === other.socket;
  if (!("port" in one && "port" in other) || one.port === 0 || one.port !== other.port) return false;
  const everywhere = [everyAddress, "0.0.0.0", "::"];
  return one.host === other.host || [one, other].some(({ host }) => everywhere.includes(host));
}

/** In milliseconds; 0 without an admin listener, by which nobody can learn that the gate stops. */
export function drainDelayOf(admin: AdminConfiguration | undefined): number {
  return admin === undefined ? 0 : (admin.drainDelay ?? defaultDrainDelay);
}

export function requiredParts({ requires = defaultRequires }: AdminConfiguration): readonly RequiredPart[] {
  return requires;
}
