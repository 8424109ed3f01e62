import { dirname, resolve } from "node:path";
import {
  defaultAdminAddress,
  everyAddress,
  type ListenAddress,
  parseAdminAddress,
  parseListenAddress,
} from "../../config/address.ts";

/** Where a gateway is asked whether it is ready. */
export type HealthTarget =
  | {
      readonly kind: "request";
      readonly place: SocketPlace;
      readonly path: string;
      readonly secure: boolean;
    }
  /** That somebody listens has to be enough. */
  | { readonly kind: "connect"; readonly place: SocketPlace }
  | { readonly kind: "unknown"; readonly reason: string };

export type SocketPlace = { readonly host: string; readonly port: number } | { readonly socketPath: string };

const readiness = "/readyz";

/** Reads a URL; undefined for anything else. */
export function targetOfUrl(text: string): HealthTarget | undefined {
  if (text.startsWith("unix:")) {
    const socketPath = text.slice("unix:".length);
    return socketPath === "" ? undefined : { kind: "request", place: { socketPath }, path: readiness, secure: false };
  }
  if (!/^https?:\/\//.test(text) || !URL.canParse(text)) return undefined;
  const { protocol, hostname, port, pathname, search } = new URL(text);
  const secure = protocol === "https:";
  const place = { host: hostname.replace(/^\[|\]$/g, ""), port: Number(port === "" ? (secure ? 443 : 80) : port) };
  return { kind: "request", place, path: pathname === "/" ? readiness : `${pathname}${search}`, secure };
}

/**
 * Finds in a configuration, as it is written, where to ask. What else is in it does not matter, nor whether it is valid: a
 * gateway goes on with its former one.
 */
export function targetOfConfiguration(written: unknown, file: string): HealthTarget {
  const { admin, listen } = mapOf(written);
  const directory = dirname(resolve(file));
  if (admin !== undefined) {
    const { address } = mapOf(admin);
    const place = placeOf(address === undefined ? defaultAdminAddress : parse(address, parseAdminAddress), directory);
    return place === undefined ? noPlace("admin") : { kind: "request", place, path: readiness, secure: false };
  }
  const { address, healthPath, tls } = mapOf(listen);
  const place = placeOf(parse(address, parseListenAddress), directory);
  if (place === undefined) return noPlace("listen");
  // Without a certificate of a client's there is no handshake.
  const closed = mapOf(tls).clientAuth === "required";
  if (typeof healthPath !== "string" || closed) return { kind: "connect", place };
  return { kind: "request", place, path: healthPath, secure: tls !== undefined };
}

function noPlace(section: string): HealthTarget {
  return { kind: "unknown", reason: `the configuration does not say where ${section} can be reached; use --url` };
}

function mapOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? { ...value } : {};
}

function parse(value: unknown, parseAddress: (text: string) => ListenAddress | undefined): ListenAddress | undefined {
  return typeof value === "string" || typeof value === "number" ? parseAddress(String(value)) : undefined;
}

/** How a listener is reached from its own machine; undefined where its address does not say that. */
function placeOf(address: ListenAddress | undefined, directory: string): SocketPlace | undefined {
  if (address === undefined || "inherited" in address) return undefined;
  if ("socket" in address) return { socketPath: resolve(directory, address.socket) };
  const { host, port } = address;
  if (port === 0) return undefined;
  if (host === everyAddress || host === "0.0.0.0") return { host: "127.0.0.1", port };
  return { host: host === "::" ? "::1" : host, port };
}
