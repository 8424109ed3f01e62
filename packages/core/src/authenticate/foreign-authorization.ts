import { basicLogin } from "@registry-gate/auth-kit";

/** Schemes that backends handle. */
const spoken: ReadonlySet<string> = new Set(["basic", "bearer"]);
/** Schemes that may come without credentials: the first message of a negotiation. */
const alone: ReadonlySet<string> = new Set(["negotiate", "ntlm", "kerberos"]);
/**
 * RFC 9110, section 11.4: a scheme, and something after it. A single word is not treated as a scheme: it may be a
 * token, which must not be logged.
 */
const schemePattern = /^([A-Za-z][A-Za-z0-9-]{0,31})(?: +[!-~]| *$)/;

/**
 * Recognizes an `Authorization` header that a proxy in front used for itself: one of a scheme that no backend supports,
 * such as `Negotiate`, `NTLM` or `Digest`, or a Basic login with an empty password. The gate ignores it: other means
 * may authenticate the user; without them the request is unauthenticated, never anonymous.
 *
 * @returns the reason for the log, which contains at most the scheme of the header. `undefined` for any other header.
 */
export function foreignAuthorization(header: string): string | undefined {
  const login = basicLogin(header);
  if (login !== undefined) {
    return login.username !== "" && login.password === "" ? "the Basic login has an empty password" : undefined;
  }
  const [matched = "", scheme = ""] = schemePattern.exec(header) ?? [];
  const name = scheme.toLowerCase();
  if (scheme === "" || spoken.has(name)) return undefined;
  if (matched.trim() === scheme && !alone.has(name)) return undefined;
  return `no backend knows the scheme ${scheme} of the Authorization header`;
}
