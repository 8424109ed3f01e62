import type { AuthBackend, Fault } from "@registry-gate/auth";
import type { Steps } from "@registry-gate/auth-kit";
import { type AccessRule, isRepository } from "@registry-gate/core";
import type { BackendConfiguration } from "../config/sections/auth.ts";
import { listed } from "./known-names.ts";

const placeholder = "${username}";

/**
 * Finds rules in which `${username}` can never match: it stands for a whole path segment of a repository's name, which is
 * lower-case, with digits and single `.`, `_` or `-` between.
 */
export function* usernameWarnings(
  rules: readonly AccessRule[],
  configurations: readonly BackendConfiguration[],
  backends: readonly AuthBackend[],
): Steps<Fault[]> {
  const personal = rules.some(({ repositories }) => repositories.some((pattern) => pattern.includes(placeholder)));
  if (!personal) return [];
  const findings: Finding[] = [];
  for (const [index, configuration] of configurations.entries()) {
    findings.push(yield* judge(configuration, backends[index]));
  }
  return rules.flatMap(({ subjects, repositories }, index): Fault[] => {
    const position = repositories.findIndex((pattern) => pattern.includes(placeholder));
    // The middleware warns of anonymous callers.
    if (position === -1 || subjects.every((subject) => subject === "anonymous")) return [];
    const at = (message: string): Fault => ({ path: ["access", index, "repositories", position], message });
    const named = subjects.flatMap((subject) => (subject.startsWith("user:") ? [subject.slice("user:".length)] : []));
    if (named.length === subjects.length) {
      const unfit = named.filter((name) => !isSegment(name));
      if (unfit.length === 0) return [];
      return [at(`${unfit.length === named.length ? "can never match" : "does not match"}: ${reasonOf(unfit)}`)];
    }
    const never = findings.every(({ never }) => never);
    return findings.flatMap(({ never: here, reason }, backend) => {
      if (reason === undefined) return [];
      const whom = `of auth.backends[${backend}] ${reason}`;
      if (never) return [at(`can never match: ${whom}`)];
      return [at(here ? `matches no user: ${whom}` : `does not match every user: ${whom}`)];
    });
  });
}

/** Whether a user's name can be a segment of a repository's name. */
function isSegment(name: string): boolean {
  return isRepository(name) && !name.includes("/");
}

interface Finding {
  /** Whether no user of the backend has a name that fits. */
  readonly never: boolean;
  /** Which names do not. */
  readonly reason: string | undefined;
}

function* judge(configuration: BackendConfiguration, backend: AuthBackend | undefined): Steps<Finding> {
  const users = backend?.roster?.().users;
  if (users === undefined) {
    const reason = namesOf(configuration);
    return { never: reason !== undefined, reason };
  }
  const unfit: string[] = [];
  for (const name of users) {
    yield;
    if (!isSegment(name)) unfit.push(name);
  }
  return {
    never: unfit.length === users.size && unfit.length > 0,
    reason: unfit.length === 0 ? undefined : reasonOf(unfit),
  };
}

function reasonOf(names: readonly string[]): string {
  return `${placeholder} stands for a path segment of a repository's name, which ${listed(names)} cannot be`;
}

const email = "the names are e-mail addresses, and a repository's name holds no @";
const path = "the names are paths of projects, which have more than one segment";

/** Products whose users have names that are no segment of a repository's name. */
const presets: Readonly<Record<string, string>> = {
  "cloudflare-access": email,
  "google-iap": email,
  "aws-alb": email,
  pomerium: email,
  tailscale: email,
  "github-actions": path,
  gitlab: path,
};

/** Why the user names of a backend never fit, by its options; `undefined` where they may fit. */
function namesOf({ type, preset, ...options }: BackendConfiguration): string | undefined {
  const known = typeof preset === "string" ? presets[preset] : undefined;
  if (type === "sso-jwt") {
    const { usernameClaim: claim, usernamePrefix: prefix = "", usernameCase } = options;
    const inLowerCase = usernameCase === "lower" ? String(prefix).toLowerCase() : prefix;
    if (typeof prefix === "string" && prefix !== "" && !isSegment(`${inLowerCase}a`)) {
      return `the names begin with ${prefix}, which no part of a repository's name does`;
    }
    if (claim === undefined) return known;
    return typeof claim === "string" && /^(?:.*\.)?(?:e?mail|upn)$/i.test(claim) ? email : undefined;
  }
  if (type === "sso-header") {
    const { userHeader } = options;
    // With one load balancer, the header holds what the issuer calls the subject.
    if (userHeader === undefined) return preset === "aws-alb" ? undefined : known;
    return typeof userHeader === "string" && /e-?mail/i.test(userHeader) ? email : undefined;
  }
  if (type !== "ldap") return undefined;
  const { usernameAttribute } = options;
  return typeof usernameAttribute === "string" && /^(?:mail|userPrincipalName)$/i.test(usernameAttribute)
    ? email
    : undefined;
}
