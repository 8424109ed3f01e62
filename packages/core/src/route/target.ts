import { refuse } from "./refusal.ts";

/** A request target, split and decoded once. */
export interface Target {
  /** Decoded; begins with `/v2/`. */
  readonly path: string;
  /** Decoded names and values in their order. */
  readonly parameters: ReadonlyMap<string, readonly string[]>;
}

/** The characters of the decoded path of a registry request. */
const pathPattern = /^[A-Za-z0-9._\-/:+=~@]*$/;
/**
 * The characters of a raw query: printable ASCII, no fragment (RFC 9112, section 3.2.1). A semicolon is ambiguous: some
 * implementations treat it as a separator, others as part of a value, and Go drops the parameter.
 */
const queryPattern = /^[!"$-:<-~]*$/;
/** Characters that must not be encoded: they would change segment boundaries, or decode further. */
const neverEncoded = /%(?:2[ef5]|5c|00|23|3b)/i;
const noParameters: ReadonlyMap<string, readonly string[]> = new Map();

/** The maximum number of parameters; a registry request has a handful. */
const mostParameters = 32;

/**
 * Whether a request target is `/v2` or below. A target that becomes so only by decoding or by removing dot segments
 * counts too: it is refused here instead of reaching another handler.
 */
export function isRegistryTarget(target: string): boolean {
  if (target.startsWith("/v2/") || target === "/v2" || target.startsWith("/v2?")) return true;
  if (!/^\/[^?]*[%\\#]|^\/[^?]*\/\.|^\/\.|^\/\/|^[^/]/.test(target)) return false;
  return passesRegistry(target);
}

/**
 * Whether any implementation could resolve the path to `/v2` or below: they disagree on what `..` removes after an
 * empty segment, and on whether encoded characters are decoded before or after. With both, any `v2` counts.
 */
function passesRegistry(target: string): boolean {
  const raw = target.replace(/[?#].*$/s, "").replace(/^[a-z][a-z0-9+.-]*:\/\/[^/]*/i, "");
  let path = raw;
  for (let round = 0; round < 3 && path.includes("%"); round++) {
    path = path.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  }
  const segments = path.split(/[/\\]+/);
  const unclear = raw.includes("%") && segments.includes("..");
  let depth = 0;
  for (const segment of segments) {
    if (segment === "..") depth = Math.max(0, depth - 1);
    else if (segment !== "." && segment !== "") {
      if ((depth === 0 || unclear) && segment.toLowerCase() === "v2") return true;
      depth++;
    }
  }
  return false;
}

/** Splits and decodes a target in origin-form (RFC 9112, section 3.2.1). Throws a refusal. */
export function parseTarget(target: string): Target {
  if (!target.startsWith("/")) refuse(400, "UNSUPPORTED", "the request target must be a path");
  const mark = target.indexOf("?");
  const rawPath = mark === -1 ? target : target.slice(0, mark);
  const path = rawPath === "/v2" ? "/v2/" : decodePath(rawPath);
  if (!path.startsWith("/v2/")) refuse(400, "UNSUPPORTED", "the path is not below /v2/");
  return { path, parameters: mark === -1 ? noParameters : parseParameters(target.slice(mark + 1)) };
}

function decodePath(raw: string): string {
  if (neverEncoded.test(raw)) refuse(400, "NAME_INVALID", "the path encodes a character that must not be encoded");
  const path = raw.includes("%") ? decode(raw) : raw;
  if (!pathPattern.test(path)) refuse(400, "NAME_INVALID", "the path holds a character that no registry path has");
  if (path.includes("//") || /(?:^|\/)\.{1,2}(?:\/|$)/.test(path)) {
    refuse(400, "NAME_INVALID", "the path holds an empty or a dot segment");
  }
  return path;
}

function parseParameters(query: string): ReadonlyMap<string, readonly string[]> {
  const parameters = new Map<string, string[]>();
  if (query === "") return parameters;
  if (!queryPattern.test(query)) refuse(400, "UNSUPPORTED", "the query holds a character that must be encoded");
  const pairs = query.split("&", mostParameters + 1);
  if (pairs.length > mostParameters) refuse(400, "UNSUPPORTED", "the query holds too many parameters");
  for (const pair of pairs) {
    const equals = pair.indexOf("=");
    const name = decode((equals === -1 ? pair : pair.slice(0, equals)).replaceAll("+", " "));
    const value = equals === -1 ? "" : decode(pair.slice(equals + 1).replaceAll("+", " "));
    const values = parameters.get(name);
    if (values === undefined) parameters.set(name, [value]);
    else values.push(value);
  }
  return parameters;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return refuse(400, "UNSUPPORTED", "invalid percent encoding in the request target");
  }
}
