import { basicLogin } from "@registry-gate/auth-kit";

/** What backends are asked about. */
const spoken: ReadonlySet<string> = new Set(["basic", "bearer"]);
/** Schemes that may stand alone: the first message of a negotiation. */
const alone: ReadonlySet<string> = new Set(["negotiate", "ntlm", "kerberos"]);
/**
 * RFC 9110, section 11.4: a scheme, and something after it. A word that stands alone is not taken for a scheme: it may be
 * a token, which must not come into the log.
 */
const schemePattern = /^([A-Za-z][A-Za-z0-9-]{0,31})(?: +[!-~]| *$)/;

/**
 * Recognises an `Authorization` header that a proxy in front has left there for itself: of a scheme that no backend
 * knows, such as `Negotiate`, `NTLM` or `Digest`, or a Basic login with an empty password. It says nothing about the
 * user to the gate: what else identifies them counts, and without that the request is unauthenticated, never anonymous.
 *
 * @returns why nobody is authenticated by it, for the log: of the header no more than its scheme. `undefined` for any
 * other header.
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
