import type { Exchange } from "../http/exchange.ts";
import { sendJson } from "../http/exchange.ts";
import { opaquePageOf } from "../http/opaque-page.ts";
import { type Page, type PageSize, pageOf } from "../http/page.ts";
import { Problem } from "../http/problem.ts";
import type { Storage } from "../storage/storage.ts";

/** As docker-registry: 100 names where the client does not say, and never more than 1000. */
const catalogPage = { standard: 100, greatest: 1000 };

/** `GET /v2/_catalog` (docker-registry's; not part of the OCI specification). */
export async function getCatalog(exchange: Exchange, storage: Storage): Promise<void> {
  const page = cut(exchange, await storage.repositories(), "/v2/_catalog", catalogPage);
  sendJson(exchange, { repositories: page.items }, linkHeader(page.link));
}

/** `GET /v2/<name>/tags/list` (OCI distribution specification 1.1, end-8). */
export async function getTags(exchange: Exchange, storage: Storage, repository: string): Promise<void> {
  const tags = await storage.manifests.tags(repository);
  if (tags === undefined) {
    throw new Problem(404, "NAME_UNKNOWN", "repository name not known to registry", { name: repository });
  }
  const page = cut(exchange, tags, `/v2/${repository}/tags/list`);
  sendJson(exchange, { name: repository, tags: page.items }, linkHeader(page.link));
}

function cut({ pages, query, origin }: Exchange, sorted: readonly string[], path: string, size?: PageSize): Page {
  return pages === "opaque" ? opaquePageOf(sorted, path, query, origin) : pageOf(sorted, path, query, size);
}

function linkHeader(link: string | undefined): { link?: string } {
  return link === undefined ? {} : { link };
}
