import type { Page } from "./page.ts";
import { Problem } from "./problem.ts";

/** As Quay has it where the client names no number. */
const standardSize = 50;

/**
 * Cuts a page out of `sorted` as a registry does that names its pages by a token of its own: `last` is not known to it, and a
 * token is good for the listing alone for which it was given.
 *
 * @param origin Goes before the path of the link; empty for a relative one.
 */
export function opaquePageOf(sorted: readonly string[], path: string, query: URLSearchParams, origin: string): Page {
  const size = sizeOf(query.get("n"));
  const token = query.get("next_page");
  const begin = token === null ? 0 : placeOf(token, path);
  const items = sorted.slice(begin, begin + size);
  const end = begin + items.length;
  if (items.length === 0 || end >= sorted.length) return { items, link: undefined };
  const next = new URLSearchParams({ n: String(size), next_page: tokenOf(path, end) });
  return { items, link: `<${origin}${path}?${next.toString()}>; rel="next"` };
}

function sizeOf(text: string | null): number {
  if (text === null || text === "") return standardSize;
  if (!/^\d{1,15}$/.test(text)) {
    throw new Problem(400, "PAGINATION_NUMBER_INVALID", "invalid number of results requested", { n: text });
  }
  return Math.min(Number(text), 100);
}

/** Standard Base64, of whose characters a query must encode some. */
function tokenOf(path: string, end: number): string {
  return Buffer.from(JSON.stringify([path, end, "?>~"])).toString("base64");
}

function placeOf(token: string, path: string): number {
  const text = Buffer.from(token, "base64").toString("utf8");
  const parsed: unknown = text.startsWith("[") ? JSON.parse(text) : undefined;
  if (!Array.isArray(parsed) || parsed[0] !== path || typeof parsed[1] !== "number") {
    throw new Problem(400, "UNSUPPORTED", "the page is not one of this listing");
  }
  return parsed[1];
}
