import type { AuthRequest } from "@registry-gate/auth";

/** What a strategy's `fail` means. */
export type FailureMeaning =
  | { readonly meaning: "abstained" }
  /** The message may hold anything. */
  | { readonly meaning: "rejected" | "unavailable"; readonly message: string | undefined };

/**
 * Reads a failure. Strategies do not tell "noResult here for me" from "wrong", but for two signs: 400 says that they found
 * no credentials, and a challenge for another scheme says which ones they had been looking for.
 */
export function readFailure(
  challenge: unknown,
  status: number | undefined,
  credentials: AuthRequest["credentials"],
): FailureMeaning {
  // Too many requests, or a failure of the strategy's own: noResult was said about the password.
  if (status !== undefined && (status >= 500 || status === 429)) {
    return { meaning: "unavailable", message: messageOf(challenge) };
  }
  if (status === 400) return { meaning: "abstained" };
  const scheme = typeof challenge === "string" ? schemeOf(challenge) : undefined;
  if (scheme === undefined) return { meaning: "rejected", message: messageOf(challenge) };
  if (credentials !== undefined && scheme !== credentials.scheme) return { meaning: "abstained" };
  return { meaning: "rejected", message: undefined };
}

/** A scheme with a parameter (RFC 9110, section 11.6.1); strategies give plain messages in the same place. */
const challengePattern = /^([A-Za-z0-9!#$%&'*+.^_`|~-]+)(?: +[A-Za-z0-9!#$%&'*+.^_`|~-]+ *=|$)/;
/** Schemes that may stand by themselves, as registered for HTTP. */
const schemesAlone: ReadonlySet<string> = new Set(["basic", "bearer", "digest", "dpop", "negotiate", "ntlm"]);

function schemeOf(text: string): string | undefined {
  const scheme = challengePattern.exec(text)?.[1]?.toLowerCase();
  return scheme === undefined || (scheme === text.toLowerCase() && !schemesAlone.has(scheme)) ? undefined : scheme;
}

function messageOf(challenge: unknown): string | undefined {
  if (typeof challenge === "string") return challenge;
  if (typeof challenge !== "object" || challenge === null || !("message" in challenge)) return undefined;
  return typeof challenge.message === "string" ? challenge.message : undefined;
}
