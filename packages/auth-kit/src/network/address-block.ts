import { isIP } from "node:net";
import { ipv6Groups, mappedAddress } from "./ip-address.ts";

/** A CIDR block (RFC 4632; RFC 4291, section 2.3), or a single address as the block of it alone. */
export interface AddressBlock {
  readonly family: "ipv4" | "ipv6";
  readonly address: string;
  /** How many bits of an address count: up to 32 for IPv4, up to 128 for IPv6. */
  readonly prefix: number;
}

/**
 * Reads an address or a CIDR block. Each has one meaning, however it is written: `::ffff:0a00:0/104` and
 * `::ffff:10.0.0.0/104` are 10.0.0.0/8.
 *
 * @returns `undefined` for anything else: also for an address with a zone, and for a mapped one with a prefix below 96.
 */
export function addressBlock(entry: string): AddressBlock | undefined {
  const [, address = "", suffix] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(entry) ?? [];
  const version = isIP(address);
  if (version === 0 || address.includes("%")) return undefined;
  const bits = version === 4 ? 32 : 128;
  const prefix = suffix === undefined ? bits : Number(suffix);
  if (prefix > bits) return undefined;
  if (version === 4) return { family: "ipv4", address, prefix };
  const mapped = mappedAddress(ipv6Groups(address));
  if (mapped === undefined) return { family: "ipv6", address, prefix };
  // A shorter prefix would reach beyond IPv4, and as a block of IPv6 it would hold no address of IPv4.
  return prefix < 96 ? undefined : { family: "ipv4", address: mapped, prefix: prefix - 96 };
}
