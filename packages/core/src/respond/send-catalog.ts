import type { IncomingMessage, ServerResponse } from "node:http";
import type { CatalogPage } from "../query/catalog/filtered-catalog.ts";
import type { Page } from "../route/route.ts";
import { writeAddedHeaders } from "./added-headers.ts";
import { keepPrivate, removeOwnedHeaders } from "./app-headers.ts";
import { catalogLink } from "./catalog-link.ts";
import { claim } from "./claim.ts";
import { apiVersion } from "./error-response.ts";

/**
 * Sends a page of a catalog in the format of docker-registry's API.
 *
 * @returns the length of the body, in bytes.
 */
export function sendCatalog(
  request: IncomingMessage,
  response: ServerResponse,
  asked: Page,
  { repositories, next }: CatalogPage,
): number {
  if (!claim(response)) return 0;
  const body = Buffer.from(`${JSON.stringify({ repositories })}\n`);
  response.statusCode = 200;
  removeOwnedHeaders(response);
  response.setHeader("Content-Type", "application/json; charset=utf-8");
  response.setHeader("Content-Length", body.length);
  // It depends on what the caller may pull.
  keepPrivate(response);
  response.setHeader(...apiVersion);
  if (next !== undefined) response.setHeader("Link", catalogLink(next, asked));
  writeAddedHeaders(response);
  response.end(body);
  request.resume();
  return body.length;
}
