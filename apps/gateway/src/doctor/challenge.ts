/** How a server asks for a login (RFC 9110, section 11.6.1). */
export type Challenge =
  | { readonly kind: "basic" }
  | {
      readonly kind: "bearer";
      readonly realm: string;
      readonly service: string | undefined;
      readonly scope: string | undefined;
      readonly error: string | undefined;
    };

const parameter = /([!#$%&'*+.^_`|~0-9A-Za-z-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))/g;

/**
 * The challenge that docker follows: the first of Basic and Bearer.
 *
 * @param header The value of `WWW-Authenticate`.
 */
export function readChallenge(header: string | undefined): Challenge | undefined {
  const [, scheme = "", rest = ""] = /(?:^|,)\s*(Basic|Bearer)(?:\s+(.*))?$/i.exec(header ?? "") ?? [];
  if (scheme === "") return undefined;
  if (scheme.toLowerCase() === "basic") return { kind: "basic" };
  const parameters = new Map<string, string>();
  for (const [, name = "", quoted, plain = ""] of rest.matchAll(parameter)) {
    const key = name.toLowerCase();
    if (!parameters.has(key)) parameters.set(key, quoted?.replaceAll(/\\(.)/g, "$1") ?? plain);
  }
  return {
    kind: "bearer",
    realm: parameters.get("realm") ?? "",
    service: parameters.get("service"),
    scope: parameters.get("scope"),
    error: parameters.get("error"),
  };
}
