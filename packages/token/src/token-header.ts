import { z } from "@registry-gate/auth-kit";
import { tokenType } from "./issue.ts";

const segments = /^([A-Za-z0-9_-]+)\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/;
const decoder = new TextDecoder("utf-8", { fatal: true });

/**
 * All that the header of a token has. A key that a token brings along, or the address of one (`jwk`, `jku`, `x5u`, RFC 7515,
 * section 4.1), makes it no token of ours, and so does `crit`. `x5c` is there for registries, and not looked at here.
 */
const headerSchema: z.ZodType<TokenHeader> = z.strictObject({
  alg: z.string(),
  typ: z.literal(tokenType),
  kid: z.string(),
  x5c: z.array(z.string()).exactOptional(),
});

/** The header of a token before it is verified. */
export interface TokenHeader {
  readonly alg: string;
  readonly typ: typeof tokenType;
  readonly kid: string;
  readonly x5c?: string[];
}

/** What a text is, by its header alone. */
export type HeaderReading =
  | { readonly kind: "header"; readonly header: TokenHeader }
  /** It claims to be a token of ours, and is not. */
  | { readonly kind: "malformed" }
  /** It is something else, such as the token of another issuer. */
  | { readonly kind: "foreign" };

/** Reads the header of a JWT (RFC 7515, section 7.1). */
export function readHeader(text: string): HeaderReading {
  const first = segments.exec(text)?.[1];
  if (first === undefined) return { kind: startsAsOurs(text) ? "malformed" : "foreign" };
  const value = parseSegment(first);
  if (!isOurs(value)) return { kind: "foreign" };
  const { data } = headerSchema.safeParse(value);
  return data === undefined ? { kind: "malformed" } : { kind: "header", header: data };
}

function startsAsOurs(text: string): boolean {
  const first = /^([A-Za-z0-9_-]+)\./.exec(text)?.[1];
  return first !== undefined && isOurs(parseSegment(first));
}

function isOurs(header: unknown): boolean {
  return typeof header === "object" && header !== null && "typ" in header && header.typ === tokenType;
}

function parseSegment(segment: string): unknown {
  try {
    return JSON.parse(decoder.decode(Buffer.from(segment, "base64url")));
  } catch {
    return undefined;
  }
}
