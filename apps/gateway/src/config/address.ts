import { isIP } from "node:net";

/** Where to listen. */
export type ListenAddress =
  | { readonly host: string; readonly port: number }
  | { readonly socket: string }
  /** A socket that systemd passes, by its name; `undefined`: the only one. */
  | { readonly inherited: string | undefined };

/** In the place of a host: every address of the machine, of IPv6 where it has it, and of IPv4. */
export const everyAddress = "*";

/**
 * Reads `host:port`, `[IPv6]:port`, `unix:/path`, `systemd:` or `systemd:name`, and a port alone as `5043`, `:5043` or
 * `*:5043`, which is at every address; `undefined` for anything else.
 */
export function parseListenAddress(text: string): ListenAddress | undefined {
  if (text.startsWith("unix:")) {
    const socket = text.slice("unix:".length);
    return socket === "" ? undefined : { socket };
  }
  if (text.startsWith("systemd:")) {
    const name = text.slice("systemd:".length);
    return /^[!-9;-~]{0,255}$/.test(name) ? { inherited: name === "" ? undefined : name } : undefined;
  }
  const [, bracketed, plain, digits = ""] = /^(?:(?:\[([^\]]+)\]|([^:]*)):)?(\d{1,5})$/.exec(text) ?? [];
  const host = bracketed ?? (plain === undefined || plain === "" ? everyAddress : plain);
  const port = Number(digits);
  if (digits === "" || port > 65_535) return undefined;
  if (bracketed !== undefined && isIP(bracketed) !== 6) return undefined;
  return { host, port };
}

/** Only this machine can reach it. */
const loopback = "127.0.0.1";

/** Where the admin listener is if nothing else is said. */
export const defaultAdminAddress: ListenAddress = { host: loopback, port: 9043 };

/** Reads an address as {@link parseListenAddress} does, but a port alone is one of this machine, and systemd passes none. */
export function parseAdminAddress(text: string): ListenAddress | undefined {
  if (text.startsWith("systemd:")) return undefined;
  return parseListenAddress(/^\d+$/.test(text) ? `${loopback}:${text}` : text);
}

export function formatListenAddress(address: ListenAddress): string {
  if ("socket" in address) return `unix:${address.socket}`;
  if ("inherited" in address) return `systemd:${address.inherited ?? ""}`;
  return isIP(address.host) === 6 ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`;
}

/** Whether only this machine can reach the address, as far as that is known. */
export function isLoopback(address: ListenAddress): boolean {
  if ("inherited" in address) return false;
  return "socket" in address || /^(?:localhost|127(?:\.\d+){3}|::1)$/.test(address.host);
}
