import type { LogEntry } from "./log-entry.ts";

/** What an operator can do about a request. */
export interface NextStep {
  /** One sentence. */
  readonly advice: string;
  /** A heading of docs/login-problems.md. */
  readonly section: string;
}

interface Symptom extends NextStep {
  /** What the reason of the request, or a message that was logged about it, says. */
  readonly says: RegExp;
}

/** From the most specific to the least: the first that fits counts. */
const symptoms: readonly Symptom[] = [
  {
    says: /service account rejected|bind as the service account/,
    advice: "The directory refuses the gate's own login: correct bindDN and bindPasswordFile.",
    section: "The directory rejects the gate",
  },
  {
    says: /no response from|is unavailable|failed logins cannot be counted|cannot determine the user of the session/,
    advice: "A backend did not respond, so that nobody could be judged: try it with check --config FILE --connect.",
    section: "A backend is unavailable",
  },
  {
    says: /too many failed logins/,
    advice: "Logins pause after too many failures: find what sends the old password, then wait for Retry-After.",
    section: "Too many failed logins",
  },
  {
    says: /several entries have this name/,
    advice: "The search finds more than one entry: narrow searchBase or searchFilter until it finds one.",
    section: "The filter finds two users",
  },
  {
    says: /the account|the password (?:has expired|must be changed)|the entry (?:has no password|may not sign in)/,
    advice: "The directory says so of the account, whatever the password is: mend it there.",
    section: "The account is locked, disabled or expired",
  },
  {
    says: /required group/,
    advice: "The user is not in requiredGroup of the backend: add them, or take the option away.",
    section: "The group is missing",
  },
  {
    says: /no such (?:user|entry)|no backend knows the credentials|does not know the user/,
    advice: "No backend has this user, or the entry of the password file was skipped: see the warnings of check.",
    section: "The user is not known",
  },
  {
    says: /wrong password/,
    advice: "The user is known and the password is another one: set it anew, and log the client in again.",
    section: "The password is wrong",
  },
  {
    says: /access token|refresh token|the token|login has expired|signature|audience|issuer/,
    advice: "The token is not accepted: log in again, or create another one.",
    section: "The token is not accepted",
  },
  {
    says: /Authorization header is malformed|the scheme/,
    advice: "The Authorization header cannot be used: see which proxy or client writes it.",
    section: "No login arrives",
  },
  {
    says: /two different users/,
    advice: "The request names two users: log out of one of them.",
    section: "No login arrives",
  },
  {
    says: /no rule allows|denied by access|grants do not include|immutable/,
    advice:
      "The login is good and the rules do not allow this: ask explain about the user, the action and the repository.",
    section: "The group is missing",
  },
  {
    says: /the registry/,
    advice: "The registry or the way to it failed: try it with check --config FILE --connect.",
    section: "The registry does not respond",
  },
];

const withoutLogin: NextStep = {
  advice:
    "No login came with the request. Clients begin so, and send one when they are asked; where none follows, it was lost.",
  section: "No login arrives",
};

/** What to do about a request, by what was logged about it; `undefined` where nothing is wrong with it. */
export function nextStep(request: LogEntry | undefined, others: readonly LogEntry[]): NextStep | undefined {
  if (request !== undefined && isGood(request)) return undefined;
  const said = [...others, ...(request === undefined ? [] : [request])].map(textOf).join("\n");
  const found = symptoms.find(({ says }) => says.test(said));
  if (found !== undefined) return { advice: found.advice, section: found.section };
  return request?.decision === "unauthenticated" ? withoutLogin : undefined;
}

function isGood({ decision, outcome, status }: LogEntry): boolean {
  return decision === "allowed" && outcome === "completed" && typeof status === "number" && status < 500;
}

function textOf({ reason, msg, err }: LogEntry): string {
  const cause = typeof err === "object" && err !== null && "message" in err ? err.message : undefined;
  return [reason, msg, cause].filter((text) => typeof text === "string").join("\n");
}
