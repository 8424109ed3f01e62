import { isIP } from "node:net";
import { plainAddress } from "@registry-gate/auth-kit";
import { authority } from "../grammar/authority.ts";
import { tokenCharacter } from "../grammar/grammar.ts";
import { listElements } from "../grammar/list-elements.ts";

/** What proxies in front report about a request. Each appends its values at the right end. */
export interface ForwardedClaims {
  /** The address that connected to each proxy, the nearest proxy's last; `undefined` for an invalid one. */
  readonly senders: readonly (string | undefined)[];
  /** The scheme of the request at the outermost of the `count` nearest proxies. */
  scheme(count: number): "http" | "https" | undefined;
  /** The authority of the request there. */
  host(count: number): string | undefined;
}

/** Headers as Node gives them, by names in lower case. */
export type ReceivedHeaders = Readonly<Record<string, string | readonly string[] | undefined>>;

/** How many proxies are considered, from the right: far more than any deployment has. */
const mostProxies = 32;

/** Reads `X-Forwarded-For`, `-Proto` and `-Host`; `undefined` where there is none of them, and no `X-Real-IP`. */
export function xForwarded(headers: ReceivedHeaders): ForwardedClaims | undefined {
  const senders = list(headers["x-forwarded-for"]);
  const schemes = list(headers["x-forwarded-proto"]);
  const hosts = list(headers["x-forwarded-host"]);
  if ([senders, schemes, hosts, list(headers["x-real-ip"])].every((values) => values.length === 0)) return undefined;
  // A proxy may pass on a header unchanged: then there are fewer values than proxies.
  const outermost = (values: readonly string[], count: number): string => values.slice(-count)[0] ?? "";
  return {
    senders: senders.map(nodeAddress),
    scheme: (count) => webScheme(outermost(schemes, count)),
    host: (count) => authority(outermost(hosts, count)),
  };
}

/** One proxy's element of `Forwarded`. */
type Element = ReadonlyMap<string, string>;

/** Reads `Forwarded` (RFC 7239). Elements to the left of a malformed one do not come from a trusted proxy. */
export function forwarded(headers: ReceivedHeaders): ForwardedClaims | undefined {
  const texts = list(headers.forwarded);
  if (texts.length === 0) return undefined;
  const elements: Element[] = [];
  for (const text of texts.toReversed()) {
    const element = parseElement(text);
    if (element === undefined) break;
    elements.unshift(element);
  }
  const outermost = <T>(count: number, read: (element: Element) => T | undefined): T | undefined => {
    for (const element of elements.slice(-count)) {
      const value = read(element);
      if (value !== undefined) return value;
    }
    return undefined;
  };
  return {
    senders: elements.map((element) => nodeAddress(element.get("for") ?? "")),
    scheme: (count) => outermost(count, (element) => webScheme(element.get("proto") ?? "")),
    host: (count) => outermost(count, (element) => authority(element.get("host") ?? "")),
  };
}

/** `X-Real-IP`. */
export function realAddress(headers: ReceivedHeaders): string | undefined {
  return nodeAddress(list(headers["x-real-ip"]).at(-1) ?? "");
}

// Not every proxy puts the colon of a port and the brackets of an IPv6 address in quotes.
const pairPattern = new RegExp(
  `[\\t ]*(?:([${tokenCharacter}]+)=([${tokenCharacter}:\\[\\]]+|"(?:[^"\\\\]|\\\\.)*")[\\t ]*)?(?:;|$)`,
  "y",
);

/** `undefined` where it is malformed or has duplicate parameters. */
function parseElement(text: string): Element | undefined {
  const pairs = new Map<string, string>();
  for (let at = 0; at < text.length; ) {
    pairPattern.lastIndex = at;
    const [matched, name, value] = pairPattern.exec(text) ?? [];
    if (matched === undefined) return undefined;
    at += matched.length;
    if (name === undefined || value === undefined) continue;
    const key = name.toLowerCase();
    if (pairs.has(key)) return undefined;
    pairs.set(key, value.startsWith('"') ? value.slice(1, -1).replace(/\\(.)/g, "$1") : value);
  }
  return pairs;
}

const withPort = /^(?:\[([\dA-Fa-f:.]{2,45})\]|([\d.]{7,15}))(?::(?:\d{1,5}|_[\w.-]{1,64}))?$/;

/**
 * The address of a node (RFC 7239, section 6), in canonical form, with or without a port, which some proxies add in
 * `X-Forwarded-For` too. `undefined` for `unknown`, obfuscated identifiers and addresses with a zone, which has a
 * meaning on its own machine only.
 */
function nodeAddress(text: string): string | undefined {
  const [, bracketed, dotted] = withPort.exec(text) ?? [];
  if (bracketed !== undefined) return isIP(bracketed) === 6 ? plainAddress(bracketed) : undefined;
  const address = dotted ?? text;
  return isIP(address) === 0 || address.includes("%") ? undefined : plainAddress(address);
}

function webScheme(text: string): "http" | "https" | undefined {
  const scheme = text.toLowerCase();
  return scheme === "http" || scheme === "https" ? scheme : undefined;
}

/** The last elements of a list. */
function list(value: string | readonly string[] | undefined): string[] {
  if (value === undefined) return [];
  return listElements(typeof value === "string" ? value : value.join(",")).slice(-mostProxies);
}
