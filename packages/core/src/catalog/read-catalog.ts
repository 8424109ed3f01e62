import { notFound, upstreamUnreachable } from "../answer/answers.ts";
import type { Upstream } from "../forward/upstream.ts";
import { UpstreamFault } from "../forward/upstream-fault.ts";
import { nextPageAfter } from "../route/next-page.ts";
import { largestPage } from "../route/route.ts";
import { upstreamTarget } from "../route/upstream-target.ts";
import type { ReadCatalog } from "./filtered-catalog.ts";

/** Room for a page of the longest names. */
const longestBody = 2 * 1024 * 1024;
/** Since version 2.8.2, the distribution's registry refuses a size above its own limit: 1000 unless it is configured. */
const sizes: readonly number[] = [largestPage, 1000, 100];

/** Reads the catalog of docker-registry's API: `GET /v2/_catalog`, with the next page named in `Link` (RFC 8288). */
export interface CatalogReader {
  /** Reads for one request, which `signal` ends. */
  begin(signal: AbortSignal): ReadCatalog;
}

/** The size that a registry refuses is not asked of it again. */
export function catalogReader(upstream: Upstream): CatalogReader {
  let known: number | undefined = largestPage;
  return {
    begin(signal) {
      // Without a size where the registry takes none of those that are tried.
      let most = known;
      return async (n, last) => {
        const size = most === undefined ? undefined : Math.min(n, most);
        const target = upstreamTarget({ operation: "list-repositories", page: { n: size, last } });
        const answer = await upstream.query(
          { method: "GET", target, accept: "application/json", maxBytes: longestBody },
          signal,
        );
        if (answer.status === 400 && size !== undefined) {
          most = sizes.find((smaller) => smaller < size);
          // What else is wrong with the request may be of this one alone.
          if (answer.body.includes("PAGINATION_NUMBER_INVALID")) known = most;
          return "too-many";
        }
        if (answer.status !== 200) {
          // A registry may have no catalog, or have it switched off.
          const absent = answer.status >= 400 && answer.status < 500;
          const reason = `the registry answered ${answer.status} for its catalog`;
          throw new UpstreamFault(absent ? notFound : upstreamUnreachable, reason);
        }
        const repositories = parseRepositories(answer.body);
        if (repositories === undefined)
          throw new UpstreamFault(upstreamUnreachable, "the registry's catalog is not one");
        return { repositories, next: nextPageAfter(answer.headers.link, repositories) };
      };
    },
  };
}

function parseRepositories(body: string): readonly string[] | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(body);
  } catch {
    return undefined;
  }
  if (typeof parsed !== "object" || parsed === null || !("repositories" in parsed)) return undefined;
  const { repositories } = parsed;
  if (repositories === null) return [];
  if (!Array.isArray(repositories)) return undefined;
  const names: readonly unknown[] = repositories;
  return names.every((name) => typeof name === "string") ? names : undefined;
}
