import { isIP } from "node:net";
import { ipv6Groups, mappedAddress } from "./ip-address.ts";

/**
 * The network that a client stands for where clients are counted or served in turn. One household or company has an
 * IPv6 network of its own, and may change its address within it at will (RFC 6177); of IPv4 it is the address itself.
 *
 * @param address An IP address, as `AuthRequest.client` has it; `undefined` on a Unix socket.
 * @param ipv6Prefix How many bits of an IPv6 address count, from 1 to 128.
 * @returns a key: equal for two addresses of one network, however they are written.
 */
export function clientNetwork(address: string | undefined, ipv6Prefix = 64): string {
  if (address === undefined) return "unix:";
  const [plain = ""] = address.split("%", 1);
  if (isIP(plain) !== 6) return address;
  const groups = ipv6Groups(plain);
  return mappedAddress(groups) ?? `${leadingBits(groups, ipv6Prefix)}/${ipv6Prefix}`;
}

/** The bits that count, as hexadecimal groups; the last one with the rest of its bits cleared. */
function leadingBits(groups: readonly number[], count: number): string {
  const whole = count >> 4;
  const rest = count & 15;
  const counted = rest === 0 ? groups.slice(0, whole) : [...groups.slice(0, whole), mask(groups[whole] ?? 0, rest)];
  return counted.map((group) => group.toString(16)).join(":");
}

function mask(group: number, bits: number): number {
  return group & (0xffff << (16 - bits)) & 0xffff;
}
