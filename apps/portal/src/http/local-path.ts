/**
 * Reads the path on which somebody should go on after they have signed in, as a link may have named it.
 *
 * @param base Below which the portal's pages are: empty, or such as `/portal`.
 * @returns a path of the portal, written anew; `undefined` for anything else, above all for what leads to another host.
 */
export function localPath(text: unknown, base: string): string | undefined {
  // What browsers take for a host begins with two slashes, of either kind; they leave out tabs and line breaks before they look.
  if (typeof text !== "string" || text.length > 2048 || !/^\/(?![/\\])[\x21-\x5b\x5d-\x7e]*$/.test(text))
    return undefined;
  const anywhere = "http://portal.invalid";
  if (!URL.canParse(text, anywhere)) return undefined;
  const { origin, pathname, search } = new URL(text, anywhere);
  if (origin !== anywhere || pathname.startsWith("//")) return undefined;
  return pathname === base || pathname.startsWith(`${base}/`) ? pathname + search : undefined;
}
