import { base64url } from "jose";

const SEGMENTS = /^([A-Za-z0-9_-]+)(={0,2})\.[A-Za-z0-9_-]*(={0,2})\.[A-Za-z0-9_-]*(={0,2})$/;
const decoder = new TextDecoder("utf-8", { fatal: true });

/** What a token says of itself before it is verified. */
export interface TokenHeader {
  readonly alg: string;
  readonly kid: string | undefined;
  /** All of it. */
  readonly parameters: Readonly<Record<string, unknown>>;
  /** Whether its segments are padded, which RFC 7515 does not allow. */
  readonly padded: boolean;
}

/**
 * Finds out whether a text has the form of a signed token (RFC 7515, section 7.1): three segments, the first of which
 * is a JSON object that names an algorithm.
 */
export function readTokenHeader(text: string): TokenHeader | undefined {
  const [, first, ...padding] = SEGMENTS.exec(text) ?? [];
  if (first === undefined) return undefined;
  const parameters = parseObject(first);
  if (parameters === undefined || !Object.hasOwn(parameters, "alg") || typeof parameters.alg !== "string") {
    return undefined;
  }
  const { alg, kid } = parameters;
  return {
    alg,
    kid: typeof kid === "string" ? kid : undefined,
    parameters,
    padded: padding.some((part) => part !== ""),
  };
}

function parseObject(segment: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(decoder.decode(base64url.decode(segment)));
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
