import type { Page } from "../route/route.ts";

/** The `Link` to the next page of a catalog (RFC 8288). */
export function catalogLink(next: string, { n }: Page): string {
  return `</v2/_catalog?last=${encodeURIComponent(next)}${n === undefined ? "" : `&n=${n}`}>; rel="next"`;
}
