/**
 * Where a listing goes on: after the name that the registry's `Link` (RFC 8288) to the next page says, or else after the
 * last one that was listed. `undefined` on the last page.
 */
export function nextPageAfter(link: string | undefined, listed: readonly string[]): string | undefined {
  const target = link === undefined ? undefined : /<([^>]*)>\s*;[^,]*rel="?next"?/i.exec(link)?.[1];
  if (target === undefined) return undefined;
  const query = target.indexOf("?");
  const last = query === -1 ? null : new URLSearchParams(target.slice(query)).get("last");
  return last ?? listed.at(-1);
}
