import type { Upstream } from "../forward/upstream.ts";
import type { CatalogPage, ReadCatalog } from "./filtered-catalog.ts";

/** Room for a page of the longest names. */
const longestBody = 1_048_576;

/** The registry's answer is not a page of a catalog. */
export class CatalogUnreadableError extends Error {
  override readonly name = "CatalogUnreadableError";
  /** What the registry said, for a client that may as well hear it: 404 where a registry has no catalog. */
  readonly status: number;

  constructor(status: number, reason: string) {
    super(reason);
    this.status = status;
  }
}

/** Reads the catalog of docker-registry's API: `GET /v2/_catalog`, with the next page named in `Link` (RFC 8288). */
export function catalogReader(upstream: Upstream, signal: AbortSignal): ReadCatalog {
  return async (n, last) => {
    const query = last === undefined ? `n=${n}` : `n=${n}&last=${encodeURIComponent(last)}`;
    const answer = await upstream.read(`/v2/_catalog?${query}`, longestBody, signal);
    if (answer.status !== 200) {
      throw new CatalogUnreadableError(answer.status, `the registry answered ${answer.status} for its catalog`);
    }
    const repositories = parseRepositories(answer.body);
    if (repositories === undefined) throw new CatalogUnreadableError(502, "the registry's catalog is not one");
    return { repositories, next: nextOf(answer.link, repositories) };
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

function nextOf(link: string | undefined, repositories: readonly string[]): CatalogPage["next"] {
  const target = link === undefined ? undefined : /<([^>]*)>\s*;[^,]*rel="?next"?/i.exec(link)?.[1];
  if (target === undefined) return undefined;
  const query = target.indexOf("?");
  const last = query === -1 ? null : new URLSearchParams(target.slice(query)).get("last");
  return last ?? repositories.at(-1);
}
