import { authority } from "../grammar/authority.ts";
import { isArtifactType } from "../grammar/media-type.ts";
import { isSealed } from "../seal/sealer.ts";
import { isDigest, isDigestAlgorithm, isRepository, isTag } from "./names.ts";
import { refuse } from "./refusal.ts";
import type { Mount, Page } from "./route.ts";
import type { Target } from "./target.ts";

/*
 * One function for each forwarded query parameter: it must not be repeated, and its value is ASCII of a grammar of its own.
 * An operation reads the parameters that it knows; all others are dropped.
 */

/** URL-safe Base64 (RFC 4648, section 5), in which docker-registry seals the state of an upload. */
const statePattern = /^[A-Za-z0-9_-]{0,4094}={0,2}$/;
/**
 * The last name of a page, or any other value of a registry's own `Link`, such as Base64. It covers every tag and
 * repository name, and excludes characters that none of them needs.
 */
const cursorPattern = /^[A-Za-z0-9._~:@+/=-]{0,1024}$/;

/** `_state`. */
export function uploadState(target: Target): string | undefined {
  const value = once(target, "_state");
  if (value !== undefined && !statePattern.test(value)) {
    refuse(400, "BLOB_UPLOAD_INVALID", "the parameter _state is malformed");
  }
  return value;
}

/** `mount` and `from`. A mount without `from` would make the registry search repositories that were not authorized. */
export function mount(target: Target): Mount | undefined {
  const digest = once(target, "mount");
  const from = once(target, "from");
  if (digest === undefined || from === undefined) return undefined;
  if (!isDigest(digest)) refuse(400, "DIGEST_INVALID", "the parameter mount is not a digest");
  if (!isRepository(from)) refuse(400, "NAME_INVALID", "the parameter from is not a repository's name");
  return { digest, from };
}

/** `digest`. */
export function digest(target: Target): string | undefined {
  const value = once(target, "digest");
  if (value !== undefined && !isDigest(value)) refuse(400, "DIGEST_INVALID", "the parameter digest is not a digest");
  return value;
}

/** `digest-algorithm` (OCI distribution specification 1.1, end-4c): the algorithm of a digest that is still to come. */
export function digestAlgorithm(target: Target): string | undefined {
  const value = once(target, "digest-algorithm");
  if (value !== undefined && !isDigestAlgorithm(value)) {
    refuse(400, "DIGEST_INVALID", "the parameter digest-algorithm is malformed");
  }
  return value;
}

/** `tag`, the only one that may be repeated. */
export function tags(target: Target): readonly string[] {
  const values = target.parameters.get("tag") ?? [];
  if (!values.every(isTag)) refuse(400, "TAG_INVALID", "the parameter tag is not a tag");
  return values;
}

/** `artifactType`; an empty one filters nothing. */
export function artifactType(target: Target): string | undefined {
  const value = once(target, "artifactType");
  if (value !== undefined && value !== "" && !isArtifactType(value)) {
    refuse(400, "UNSUPPORTED", "the parameter artifactType is not the type of an artifact");
  }
  return value;
}

/**
 * `ns`: the registry that a mirror is asked about (OCI distribution specification 1.2, section "Registry Proxying"). It
 * is never dropped: a mirror of several registries would use its default one, which may have other content under the
 * same name.
 */
export function namespace(target: Target): string | undefined {
  const value = once(target, "ns");
  if (value === undefined) return undefined;
  return authority(value) ?? refuse(400, "UNSUPPORTED", "the parameter ns is not the host of a registry");
}

/** `n` and `last`. */
export function page(target: Target): Page {
  const n = once(target, "n");
  if (n !== undefined && !/^\d{1,9}$/.test(n)) {
    refuse(400, "PAGINATION_NUMBER_INVALID", "the parameter n is not a number");
  }
  const last = once(target, "last");
  if (last !== undefined && !cursorPattern.test(last) && !isSealed(last))
    refuse(400, "UNSUPPORTED", "the parameter last is malformed");
  return { n: n === undefined ? undefined : Number(n), last };
}

function once(target: Target, name: string): string | undefined {
  const values = target.parameters.get(name);
  if (values !== undefined && values.length > 1) refuse(400, "UNSUPPORTED", `the parameter ${name} is repeated`);
  return values?.[0];
}
