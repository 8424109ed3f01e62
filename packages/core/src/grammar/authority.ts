import { isIPv6 } from "node:net";
import type { Grammar } from "./grammar.ts";
import { remembered } from "./remembered.ts";

const authorityPattern = /^(?:([A-Za-z0-9._~-]{1,255})|\[([0-9A-Fa-f:.]{2,45})\])(?::(\d{1,5}))?$/;
const largestPort = 65_535;

/**
 * A `Host` (RFC 9110, section 7.2): a host name or address, possibly with a port. In lower case, because hosts are
 * compared so (section 4.2.3); the port without leading zeros.
 */
export const authority: Grammar = remembered((value) => {
  const [, name, address, digits] = authorityPattern.exec(value) ?? [];
  if (name === undefined && (address === undefined || !isIPv6(address))) return undefined;
  const host = (name ?? `[${address}]`).toLowerCase();
  if (digits === undefined) return host;
  const port = Number(digits);
  return port > largestPort ? undefined : `${host}:${port}`;
});
