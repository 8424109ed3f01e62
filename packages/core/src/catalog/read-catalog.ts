import { notFound, upstreamUnreachable } from "../answer/answers.ts";
import type { Upstream } from "../forward/upstream.ts";
import { UpstreamFault } from "../forward/upstream-fault.ts";
import { upstreamTarget } from "../route/upstream-target.ts";
import type { CatalogPage, ReadCatalog } from "./filtered-catalog.ts";

/** Room for a page of the longest names. */
const longestBody = 1_048_576;

/** Reads the catalog of docker-registry's API: `GET /v2/_catalog`, with the next page named in `Link` (RFC 8288). */
export function catalogReader(upstream: Upstream, signal: AbortSignal): ReadCatalog {
  return async (n, last) => {
    const target = upstreamTarget({ operation: "list-repositories", page: { n, last } });
    const answer = await upstream.query(
      { method: "GET", target, accept: "application/json", maxBytes: longestBody },
      signal,
    );
    if (answer.status !== 200) {
      // A registry may have no catalog, or have it switched off.
      const absent = answer.status >= 400 && answer.status < 500;
      const reason = `the registry answered ${answer.status} for its catalog`;
      throw new UpstreamFault(absent ? notFound : upstreamUnreachable, reason);
    }
    const repositories = parseRepositories(answer.body);
    if (repositories === undefined) throw new UpstreamFault(upstreamUnreachable, "the registry's catalog is not one");
    return { repositories, next: nextOf(answer.headers.link, repositories) };
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

function nextOf(links: string | string[] | undefined, repositories: readonly string[]): CatalogPage["next"] {
  const link = typeof links === "string" ? links : links?.join(", ");
  const target = link === undefined ? undefined : /<([^>]*)>\s*;[^,]*rel="?next"?/i.exec(link)?.[1];
  if (target === undefined) return undefined;
  const query = target.indexOf("?");
  const last = query === -1 ? null : new URLSearchParams(target.slice(query)).get("last");
  return last ?? repositories.at(-1);
}
