import { isIPv6 } from "node:net";

/** Where a directory server listens. */
export interface ServerAddress {
  /** As it was written, for the log. */
  readonly url: string;
  /** TLS from the first byte. */
  readonly ldaps: boolean;
  /** A host name or an IP address, IPv6 without brackets. */
  readonly host: string;
  readonly port: number;
}

const PATTERN = /^(ldaps?):\/\/(\[[0-9A-Fa-f:.]+\]|[^\s/?#@:[\]%\\]+)(?::(\d{1,5}))?\/?$/i;
const HOST = /^[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_.])?$/;

/**
 * Reads `ldap://host:port` or `ldaps://host:port` (RFC 4516, without DN, attributes, filter and extensions). The port is
 * 389 and 636 where it is left out.
 *
 * @returns what is wrong, where it is something else.
 */
export function parseServerUrl(url: string): { address: ServerAddress } | { fault: string } {
  const [, scheme, written, digits] = PATTERN.exec(url) ?? [];
  if (scheme === undefined || written === undefined) {
    return { fault: "must be ldaps://host, ldaps://host:port or the like with ldap://, and nothing more" };
  }
  const ldaps = scheme.toLowerCase() === "ldaps";
  const host = written.replace(/^\[|\]$/g, "");
  const good = written.startsWith("[") ? isIPv6(host) : HOST.test(host);
  if (!good) return { fault: "has no valid host" };
  const port = digits === undefined ? (ldaps ? 636 : 389) : Number(digits);
  if (port < 1 || port > 65535) return { fault: "has no valid port" };
  return { address: { url, ldaps, host, port } };
}
