import type { Access, Principal } from "@registry-gate/auth";
import { accessesOf, catalogAccess } from "../route/accesses.ts";
import { largestPage, type Route } from "../route/route.ts";
import { isSealed } from "../seal/sealer.ts";
import { grantsCatalog, grantsOf } from "./grants.ts";
import type { Policy } from "./policy.ts";
import { type TagLimit, tagLimitOf } from "./tag-limit.ts";

/** The repositories of a listing that the caller may see. */
export type Visible = "nothing" | ((repository: string) => boolean);

type CatalogRoute = Extract<Route, { operation: "list-repositories" }>;

/** The decision about a request. */
export type Plan = AllowedPlan | RefusedPlan;

/** The index of the rule of `access` that decided, if one did. */
interface Deciding {
  readonly rule?: number | undefined;
}

/** `route` is the allowed part of the request, which can be less than the whole. */
export type AllowedPlan = Deciding & AllowedKind;

type AllowedKind =
  | { readonly kind: "forward"; readonly allowed: true; readonly route: Route; readonly reason: string }
  /** The limit must be checked before forwarding: some tags may be created, but neither changed nor deleted. */
  | {
      readonly kind: "create-only";
      readonly allowed: true;
      readonly route: Route;
      readonly reason: string;
      readonly tagLimit: TagLimit;
    }
  /** The gate builds the page itself, of what the caller may see. */
  | {
      readonly kind: "filter-catalog";
      readonly allowed: true;
      readonly route: CatalogRoute;
      readonly reason: string;
      readonly visible: Visible | "everything";
    };

export type RefusedPlan = Deciding & RefusedKind;

type RefusedKind =
  /** Other credentials might be accepted. */
  | {
      readonly kind: "challenge";
      readonly allowed: false;
      readonly reason: string;
      /** Set where the rules allow it but the grants of the login do not (RFC 6750, section 3.1). */
      readonly error?: "insufficient_scope";
    }
  | { readonly kind: "deny"; readonly allowed: false; readonly reason: string };

/** Authorizes a route: every access that it needs must be allowed. */
export function authorize(policy: Policy, principal: Principal, route: Route): Plan {
  if (route.operation === "ping") {
    // From the 401 a client learns where to log in. With a token that was issued to nobody it has done what it can.
    if (principal.kind === "user") return { kind: "forward", allowed: true, route, reason: "authenticated" };
    return principal.grants === undefined
      ? refuse(principal, "no credentials")
      : { kind: "forward", allowed: true, route, reason: "anonymous token" };
  }
  if (route.operation === "list-repositories") {
    return authorizeCatalog(policy, principal, route);
  }
  let reason = "";
  let rule: number | undefined;
  for (const access of accessesOf(route)) {
    const decision = policy.decide(principal, access);
    if (!decision.allowed) {
      if (decision.beyondGrants === true) return beyondGrants(principal, access);
      const none = `no rule allows ${access.action} on ${access.name}`;
      const reason = decision.rule === undefined ? none : `denied by access[${decision.rule}]`;
      return { ...refuse(principal, `${reason}${unknownGroups(principal)}`), rule: decision.rule };
    }
    ({ rule } = decision);
    reason = rule === undefined ? "authenticated" : `access[${rule}]`;
  }
  const tagLimit = tagLimitOf(policy, principal, route);
  const mount = authorizeMount(policy, principal, route);
  if ("kind" in mount) return mount;
  const granted = { allowed: true, route: mount.route, reason, rule } as const;
  return tagLimit === undefined ? { kind: "forward", ...granted } : { kind: "create-only", ...granted, tagLimit };
}

/** An anonymous caller may be allowed after a login, or with a token of a wider scope. */
function refuse(principal: Principal, reason: string): RefusedPlan {
  if (principal.kind === "user") return { kind: "deny", allowed: false, reason };
  const error = principal.grants === undefined ? {} : ({ error: "insufficient_scope" } as const);
  return { kind: "challenge", allowed: false, reason, ...error };
}

/** For operators who wonder why a user is not treated as a member of a group. */
function unknownGroups(principal: Principal): string {
  const reason = principal.kind === "user" ? principal.identity.groupsIncomplete : undefined;
  return reason === undefined ? "" : `; not all groups are known: ${reason}`;
}

/** A client with a Bearer token can request one with a wider scope; other logins cannot. */
function beyondGrants(principal: Principal, { action, name }: Access): RefusedPlan {
  const reason = `the login's grants do not include ${action} on ${name}`;
  return principal.kind === "user" && principal.via !== "bearer"
    ? { kind: "deny", allowed: false, reason }
    : { kind: "challenge", allowed: false, reason, error: "insufficient_scope" };
}

/**
 * Authenticated users may list repositories, filtered to what they may pull. A Bearer token needs the listing among its
 * grants: its client can request a wider token, and must not take part of the list for all of it.
 */
function authorizeCatalog(policy: Policy, principal: Principal, asked: CatalogRoute): Plan {
  const { n } = asked.page;
  const route = n === undefined ? asked : { ...asked, page: { ...asked.page, n: Math.min(n, largestPage) } };
  const grants = grantsOf(principal);
  const whole = grants === undefined || grantsCatalog(grants);
  if (!whole && principal.kind === "user" && principal.via === "bearer") return beyondGrants(principal, catalogAccess);
  const lister = whole ? withoutGrants(principal) : principal;
  const reach = policy.reach(lister, "pull");
  if (reach === "everything") {
    const all = { allowed: true, route, reason: "can pull every repository" } as const;
    // Only the gate can open a sealed position.
    return isSealed(route.page.last)
      ? { kind: "filter-catalog", ...all, visible: "everything" }
      : { kind: "forward", ...all };
  }
  if (reach === "nothing") {
    return principal.kind === "user"
      ? { kind: "filter-catalog", allowed: true, route, reason: "can pull no repository", visible: "nothing" }
      : refuse(principal, "no credentials");
  }
  const visible = (name: string): boolean =>
    policy.decide(lister, { type: "repository", name, action: "pull" }).allowed;
  return { kind: "filter-catalog", allowed: true, route, reason: "can pull some repositories", visible };
}

/** If the grants include the listing, the rules alone decide its content. */
function withoutGrants(principal: Principal): Principal {
  const { grants: _, ...rest } = principal;
  return rest;
}

/**
 * Without pull on its source a mount becomes an upload: refusing it would abort the client's whole push. Only where the rules
 * allow the pull, and the client can get a token for it, is the client told to.
 */
function authorizeMount(policy: Policy, principal: Principal, route: Route): { readonly route: Route } | RefusedPlan {
  if (route.operation !== "start-upload" || route.mount === undefined) return { route };
  const access: Access = { type: "repository", name: route.mount.from, action: "pull" };
  const decision = policy.decide(principal, access);
  if (decision.allowed) return { route };
  const widenable = principal.kind === "anonymous" || principal.widenable === true;
  if (decision.beyondGrants === true && widenable) return beyondGrants(principal, access);
  return { route: { ...route, mount: undefined } };
}
