import { isIP } from "node:net";
import { addressBlock } from "./address-block.ts";
import { addressSet } from "./address-set.ts";

/**
 * Says through which proxy a URL is to be fetched; `undefined` for none.
 *
 * @throws {TypeError} of one line where what names the proxy is not a URL of one.
 */
export type ProxyFor = (url: URL) => URL | undefined;

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Chooses the proxy by an option, or else by the environment.
 *
 * @param proxy The option: a URL that {@link proxyFault} finds nothing wrong with, or `false` for none at all.
 */
export function chooseProxy(proxy: string | false | undefined, environment: Environment = process.env): ProxyFor {
  if (proxy === false) return () => undefined;
  if (proxy === undefined) return (url) => environmentProxy(url, environment);
  const chosen = new URL(proxy);
  return () => chosen;
}

/** What is wrong with the URL of a proxy. */
export function proxyFault(proxy: string): string | undefined {
  if (!URL.canParse(proxy)) return "must be the URL of a proxy";
  const { protocol, pathname, search, hash } = new URL(proxy);
  if (protocol !== "http:" && protocol !== "https:") return "must begin with http:// or https://";
  return pathname === "/" && search === "" && hash === "" ? undefined : "must be a proxy's scheme, host and port";
}

/** Whether a host is this machine by its name or address. */
export function isLoopbackUrl({ hostname }: URL): boolean {
  return hostname === "localhost" || hostname === "[::1]" || /^127\.\d+\.\d+\.\d+$/.test(hostname);
}

/**
 * `HTTPS_PROXY` and `NO_PROXY` as curl and Go read them: small letters before capitals, and a proxy without a scheme is one
 * of plain HTTP. What comes over plain HTTP comes from this machine and does not leave it.
 */
function environmentProxy(url: URL, environment: Environment): URL | undefined {
  const proxy = environment.https_proxy || environment.HTTPS_PROXY || "";
  if (proxy === "" || url.protocol !== "https:") return undefined;
  if (isExcepted(url, environment.no_proxy || environment.NO_PROXY || "")) return undefined;
  const written = proxy.includes("://") ? proxy : `http://${proxy}`;
  const fault = proxyFault(written);
  if (fault !== undefined) throw new TypeError(`the environment variable HTTPS_PROXY ${fault}`);
  return new URL(written);
}

function isExcepted(url: URL, list: string): boolean {
  const host = url.hostname.replace(/^\[|\]$|\.$/g, "");
  const port = url.port === "" ? "443" : url.port;
  return list
    .toLowerCase()
    .split(/[\s,]+/)
    .some((entry) => entry !== "" && matches(entry, host, port));
}

/** An entry is `*`, a domain with those below it, one that begins with a dot for those below it alone, or addresses. */
function matches(entry: string, host: string, port: string): boolean {
  if (entry === "*") return true;
  const [, bracketed, plain, entryPort] = /^(?:\[([^\]]*)\]|(.*?))(?::(\d+))?$/.exec(entry) ?? [];
  // An address of IPv6 without brackets has no port.
  const name = (isIP(entry) === 6 || entry.includes("/") ? entry : (bracketed ?? plain ?? "")).replace(/\.$/, "");
  if (name !== entry && entryPort !== undefined && entryPort !== port) return false;
  if (isIP(host) !== 0) return addressBlock(name) !== undefined && addressSet([name]).has(host);
  const domain = name.replace(/^\*?\./, "");
  return (domain === name && host === domain) || host.endsWith(`.${domain}`);
}
