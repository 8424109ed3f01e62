import { Problem } from "../http/problem.ts";
import type { Digest } from "../names/digest.ts";
import { parseDigest } from "../names/digest.ts";
import { isTag } from "../names/tag.ts";

/** How a manifest is named. */
export type Reference =
  | { readonly kind: "tag"; readonly tag: string }
  | { readonly kind: "digest"; readonly digest: Digest };

/** Throws a 400 problem where `text` is neither a tag nor a digest. */
export function requireReference(text: string): Reference {
  // A tag never has a colon, a digest always.
  if (text.includes(":")) return { kind: "digest", digest: requireDigest(text) };
  if (!isTag(text)) throw new Problem(400, "TAG_INVALID", "invalid tag", { tag: text });
  return { kind: "tag", tag: text };
}

/** Throws a 400 problem where `text` is missing or no digest. */
export function requireDigest(text: string | null): Digest {
  const digest = text === null ? undefined : parseDigest(text);
  if (digest === undefined) throw new Problem(400, "DIGEST_INVALID", "invalid or unsupported digest", { digest: text });
  return digest;
}
