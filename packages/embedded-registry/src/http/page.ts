import { Problem } from "./problem.ts";

/** One page of a sorted list. */
export interface Page {
  readonly items: readonly string[];
  /** The value of the `Link` header that leads to the next page, where there is one. */
  readonly link: string | undefined;
}

export interface PageSize {
  /** How many where the client names no number. Default all. */
  readonly standard?: number;
  /** The greatest number that a client may name. Default any. */
  readonly greatest?: number;
}

/** Cuts the page that `n` and `last` ask for out of `sorted` (OCI distribution specification 1.1, "Listing tags"). */
export function pageOf(sorted: readonly string[], path: string, query: URLSearchParams, size: PageSize = {}): Page {
  const n = pageNumber(query, size);
  const last = query.get("last");
  const rest = last === null ? sorted : sorted.filter((item) => item > last);
  if (n === undefined || rest.length <= n) return { items: rest, link: undefined };
  const items = rest.slice(0, n);
  const end = items.at(-1);
  if (end === undefined) return { items, link: undefined };
  const next = new URLSearchParams({ last: end, n: String(n) });
  return { items, link: `<${path}?${next.toString()}>; rel="next"` };
}

function pageNumber(query: URLSearchParams, size: PageSize): number | undefined {
  const text = query.get("n");
  if (text === null || text === "") return size.standard;
  const n = /^\d{1,15}$/.test(text) ? Number(text) : undefined;
  if (n === undefined || (size.greatest !== undefined && n > size.greatest)) {
    throw new Problem(400, "PAGINATION_NUMBER_INVALID", "invalid number of results requested", { n: text });
  }
  return n;
}
