import { registryHeaders } from "../../respond/app-headers.ts";
import type { ResponseHead } from "../transport.ts";
import { isVerifiable } from "./body-verifier.ts";

/** What is known of a response that may be kept, before its body. */
export interface KeepableHead {
  /** Those of the response that a client gets, but for `Date`. */
  readonly headers: ResponseHead["headers"];
  readonly length: number;
  /** What the body must have: the digest that was asked for, and the one that the registry names. */
  readonly digests: readonly [string, ...string[]];
  /** The longest lifetime that the registry allows, in milliseconds. */
  readonly lifetime: number;
}

/** Headers that a kept response has. Those that the gate never forwards have no effect and are dropped. */
const kept: ReadonlySet<string> = new Set([
  "accept-ranges",
  "cache-control",
  "content-length",
  "content-type",
  "docker-content-digest",
  "etag",
  "last-modified",
  "strict-transport-security",
  "vary",
  "x-content-type-options",
]);

/** Headers that are forwarded and say something of this one response: it is not kept. */
const unusual: readonly string[] = [
  ...registryHeaders.filter((name) => !kept.has(name) && name !== "date"),
  "link",
  "location",
  "ratelimit",
  "ratelimit-limit",
  "ratelimit-policy",
  "ratelimit-remaining",
  "ratelimit-reset",
  "transfer-encoding",
  "www-authenticate",
];

/** Request headers by which responses may differ: the key holds them, or they are the same for all requests. */
const distinguished: ReadonlySet<string> = new Set([
  "accept",
  "accept-encoding",
  "authorization",
  "cookie",
  "host",
  "oci-namespace",
  "origin",
  "x-forwarded-host",
  "x-forwarded-proto",
]);

const wholeNumber = /^\d{1,15}$/;
const directive = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+)(?:=(?:"([^"]*)"|([^\s"]+)))?$/;

/**
 * Judges the head of a response to an unconditional request.
 *
 * @param asked The digest that was asked for; undefined for a tag.
 * @param longest The maximum length of the body, in bytes.
 * @returns `undefined` where the response is not to be kept.
 */
export function keepableHead(
  { statusCode, headers }: ResponseHead,
  asked: string | undefined,
  longest: number,
): KeepableHead | undefined {
  if (statusCode !== 200 || unusual.some((name) => headers[name] !== undefined)) return undefined;
  const selected: NodeJS.Dict<string | string[]> = Object.create(null);
  for (const name in headers) {
    const value = headers[name];
    if (value === undefined || !kept.has(name)) continue;
    if (typeof value !== "string") return undefined;
    selected[name] = value;
  }
  const { "content-length": length, "docker-content-digest": named, "cache-control": control, vary } = selected;
  if (typeof length !== "string" || !wholeNumber.test(length) || Number(length) > longest) return undefined;
  if (typeof vary === "string" && !isDistinguished(vary)) return undefined;
  const digests = digestsOf(asked, typeof named === "string" ? named : undefined);
  if (digests === undefined) return undefined;
  const lifetime = typeof control === "string" ? allowedLifetime(control) : Number.POSITIVE_INFINITY;
  // A cache of the client would add its own time to that of the gate: harmless for what never changes.
  if (lifetime === undefined || (asked === undefined && lifetime > 0 && Number.isFinite(lifetime))) return undefined;
  return { headers: Object.freeze(selected), length: Number(length), digests, lifetime };
}

function digestsOf(asked: string | undefined, named: string | undefined): [string, ...string[]] | undefined {
  const first = asked ?? named;
  if (first === undefined || !isVerifiable(first)) return undefined;
  if (named === undefined || named === first) return [first];
  return isVerifiable(named) ? [first, named] : undefined;
}

function isDistinguished(vary: string): boolean {
  return vary.split(",").every((name) => distinguished.has(name.trim().toLowerCase()));
}

/** By `Cache-Control` (RFC 9111, section 5.2.2), for a cache that many share. */
function allowedLifetime(control: string): number | undefined {
  let maxAge: number | undefined;
  let shared: number | undefined;
  let validated = false;
  for (const element of control.split(",")) {
    const text = element.trim();
    if (text === "") continue;
    const [, name = "", quoted, plain] = directive.exec(text) ?? [];
    switch (name.toLowerCase()) {
      case "":
      case "no-store":
      case "private":
        return undefined;
      case "no-cache":
        validated = true;
        break;
      case "max-age":
      case "s-maxage": {
        const seconds = quoted ?? plain ?? "";
        if (!wholeNumber.test(seconds)) return undefined;
        if (name.toLowerCase() === "max-age") maxAge = Math.min(maxAge ?? Number(seconds), Number(seconds));
        else shared = Math.min(shared ?? Number(seconds), Number(seconds));
      }
    }
  }
  if (validated) return 0;
  const seconds = shared ?? maxAge;
  return seconds === undefined ? Number.POSITIVE_INFINITY : seconds * 1000;
}
