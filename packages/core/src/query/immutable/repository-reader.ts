import type { Upstream } from "../../forward/upstream.ts";
import { UpstreamFault } from "../../forward/upstream-fault.ts";
import { nextQuery } from "../../respond/next-page.ts";
import { undecided } from "../../respond/responses.ts";
import { isDigest, isTag } from "../../route/names.ts";
import { listingPath, upstreamTarget } from "../../route/upstream-target.ts";
import type { UpstreamQuery } from "../query.ts";

/** The manifest of a tag. */
export interface TaggedManifest {
  readonly digest: string;
  readonly type: string | undefined;
}

/** Reads the content of one repository. Every unclear response is an {@link UpstreamFault}. */
export interface RepositoryReader {
  /** Whether the repository has the tag. */
  hasTag(tag: string): Promise<boolean>;
  /** Every tag, page by page; none for a repository that does not exist. */
  tags(): AsyncIterableIterator<string>;
  /** The manifest of the tag; `undefined` where the tag no longer exists. */
  resolve(tag: string): Promise<TaggedManifest | undefined>;
  /** A manifest as JSON; `undefined` where the repository does not have it. */
  manifest(digest: string): Promise<unknown>;
}

/** Some registries respond with 404 for a manifest whose type is not in `Accept`. */
const everyManifest = [
  "application/vnd.oci.image.index.v1+json",
  "application/vnd.oci.image.manifest.v1+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
  "application/vnd.docker.distribution.manifest.v2+json",
  "application/vnd.docker.distribution.manifest.v1+prettyjws",
  "*/*",
].join(", ");

/** The maximum number of queries for one request: a repository with more immutable tags cannot be changed. */
const mostQueries = 2000;
/** The maximum length of all responses together, in bytes. */
const mostRead = 64 * 1024 * 1024;
/** The limit of known registries for a manifest, and room for tens of thousands of tags. */
const longestBody = 4 * 1024 * 1024;

export function repositoryReader(
  upstream: Upstream,
  repository: string,
  asked: Pick<UpstreamQuery, "clientKey" | "urgent">,
  signal: AbortSignal,
): RepositoryReader {
  let queries = 0;
  let left = mostRead;

  async function query(method: "GET" | "HEAD", target: string, accept: string) {
    if (++queries > mostQueries) throw unclear(`more than ${mostQueries} queries would be needed`);
    const maxBytes = method === "HEAD" ? 0 : Math.min(longestBody, left);
    const response = await upstream.query({ method, target, accept, maxBytes, ...asked }, signal);
    left -= response.body.length;
    return response;
  }

  function manifestTarget(reference: string): string {
    return upstreamTarget({ operation: "get-manifest", repository, reference, namespace: undefined });
  }

  async function head(tag: string) {
    const response = await query("HEAD", manifestTarget(tag), everyManifest);
    if (response.status !== 200 && response.status !== 404)
      throw unclear(`the registry responded with ${response.status} for a tag`);
    return response.status === 200 ? response : undefined;
  }

  return {
    hasTag: async (tag) => (await head(tag)) !== undefined,

    async *tags() {
      // Without a page size: registries refuse one above their limit, and none requires one.
      const page = { n: undefined, last: undefined };
      const path = listingPath({ operation: "list-tags", repository, page, namespace: undefined });
      for (let target = path; ; ) {
        const response = await query("GET", target, "application/json");
        if (response.status === 404 && isUnknownName(response.body)) return;
        if (response.status !== 200) throw unclear(`the registry responded with ${response.status} for its tags`);
        const tags = tagsIn(response.body);
        yield* tags;
        const next = nextQuery(response.headers.link, path);
        if (next === undefined) return;
        if (target === `${path}?${next}`) throw unclear("the list of tags makes no progress");
        target = `${path}?${next}`;
      }
    },

    async resolve(tag) {
      const response = await head(tag);
      if (response === undefined) return undefined;
      const digest = response.headers["docker-content-digest"];
      const type = response.headers["content-type"];
      if (digest === undefined || !isDigest(digest)) throw unclear("the registry does not send the digest of a tag");
      return { digest, type };
    },

    async manifest(digest) {
      if (!isDigest(digest)) throw unclear("a manifest refers to an invalid digest");
      const response = await query("GET", manifestTarget(digest), everyManifest);
      if (response.status === 404) return undefined;
      if (response.status !== 200) throw unclear(`the registry responded with ${response.status} for a manifest`);
      return parse(response.body);
    },
  };
}

/** The registry gave no clear result, so the request is refused. */
export function unclear(reason: string): UpstreamFault {
  return new UpstreamFault(undecided, `immutable tags cannot be checked: ${reason}`);
}

function tagsIn(body: string): readonly string[] {
  const parsed = parse(body);
  const tags: unknown = typeof parsed === "object" && parsed !== null && "tags" in parsed ? parsed.tags : undefined;
  if (tags === null) return [];
  if (!Array.isArray(tags)) throw unclear("the list of tags is malformed");
  return tags.map((tag: unknown) => {
    if (typeof tag !== "string" || !isTag(tag)) throw unclear("the list of tags holds something else");
    return tag;
  });
}

function isUnknownName(body: string): boolean {
  const parsed = parse(body);
  if (typeof parsed !== "object" || parsed === null || !("errors" in parsed)) return false;
  const { errors } = parsed;
  return Array.isArray(errors) && errors.some(isNameUnknown);
}

function isNameUnknown(error: unknown): boolean {
  return typeof error === "object" && error !== null && "code" in error && error.code === "NAME_UNKNOWN";
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    throw unclear("the response is not JSON");
  }
}
