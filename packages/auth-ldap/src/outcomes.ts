import { BackendUnavailableError } from "@registry-gate/auth";
import { accountStateOfAD, accountStateOfPolicy } from "./account-state.ts";
import { DirectoryError, describeCause } from "./directory-error.ts";
import type { Entry } from "./protocol/entry.ts";
import type { BindResult } from "./protocol/responses.ts";
import type { SearchResult } from "./protocol/session.ts";

/**
 * Interprets result codes. This is the one place that decides between "rejected", a decision about the
 * user, and "unavailable", no decision. Any code that is not listed means unavailable.
 */

/** Names of result codes (RFC 4511, appendix A.1), for the log. */
const NAMES: Readonly<Record<number, string>> = {
  1: "operations error",
  2: "protocol error",
  3: "time limit exceeded",
  4: "size limit exceeded",
  7: "authentication method not supported",
  8: "stronger authentication required",
  10: "referral",
  11: "administrative limit exceeded",
  13: "confidentiality required",
  32: "no such object",
  34: "invalid DN",
  48: "inappropriate authentication",
  49: "invalid credentials",
  50: "insufficient access",
  51: "busy",
  52: "unavailable",
  53: "unwilling to perform",
  80: "other",
};

export function describeCode(code: number): string {
  const name = NAMES[code];
  return name === undefined ? `result ${code}` : `${name} (${code})`;
}

/** The decision about a user's password. */
export type BindVerdict = { readonly accepted: true } | { readonly accepted: false; readonly reason: string };

const rejected = (reason: string): BindVerdict => ({ accepted: false, reason });

/**
 * Judges the result of binding as a user with the password that the user gave.
 *
 * @throws {DirectoryError} of kind `result` when the result code does not decide about the user.
 */
export function judgeUserBind({ code, diagnostic, policy }: BindResult): BindVerdict {
  switch (code) {
    case 0:
      // The password is right, but the server permits nothing except changing it.
      return policy?.error === 2 ? rejected("the password must be changed") : { accepted: true };
    case 49: {
      const state = accountStateOfAD(diagnostic);
      if (state === "unavailable") break;
      return rejected(state ?? accountStateOfPolicy(policy) ?? "wrong password");
    }
    case 19:
      // 389 Directory Server, after too many failures.
      return rejected("the account is locked");
    case 32:
    case 34:
      return rejected("no such entry");
    case 48:
      return rejected("the entry has no password");
    case 50:
      return rejected("the entry may not sign in");
    case 53:
      // 389 Directory Server and its kin say so of an account that is switched off; others of themselves.
      if (/inactivated|locked|disabled|expired/i.test(diagnostic)) return rejected("the account is disabled");
      break;
  }
  throw new DirectoryError("result", `the bind failed: ${describeCode(code)}`, { code });
}

/**
 * Judges the result of binding as the service account, or of what else proves that a server works.
 *
 * @throws {DirectoryError} of kind `service` when the account is refused, `result` when the server is not ready.
 */
export function judgeServiceBind({ code, diagnostic }: BindResult): void {
  if (code === 0) return;
  const busy = code === 51 || code === 52 || code === 80;
  const why = code === 49 ? accountStateOfAD(diagnostic) : undefined;
  const message = `service account rejected: ${describeCode(code)}${why === undefined ? "" : `, ${why}`}`;
  throw new DirectoryError(busy ? "result" : "service", message, { code });
}

/**
 * The entries of a complete search result.
 *
 * @throws {DirectoryError} when some may be missing.
 */
export function allEntries({ code, diagnostic, entries }: SearchResult, what: string): readonly Entry[] {
  if (code === 0) return entries;
  const hint = code === 4 || code === 3 || code === 11 ? ", incomplete result" : "";
  const said = diagnostic === "" ? "" : `: ${diagnostic}`;
  const message = `the search for ${what} failed: ${describeCode(code)}${hint}${said}`;
  throw new DirectoryError("result", message, { code });
}

/** What {@link AuthBackend.authenticate} throws. */
export function unavailable(backend: string, error: unknown): BackendUnavailableError {
  if (error instanceof BackendUnavailableError) return error;
  const reason = error instanceof DirectoryError ? error.message : `failed unexpectedly: ${describeCause(error)}`;
  return new BackendUnavailableError(backend, reason, { cause: error });
}
