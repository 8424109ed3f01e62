import type { Access, Principal } from "@registry-gate/auth";
import { accessesOf, catalogAccess } from "../route/accesses.ts";
import { largestPage, type Route } from "../route/route.ts";
import { isSealed } from "../seal/sealer.ts";
import { grantsCatalog, grantsOf } from "./grants.ts";
import type { Policy } from "./policy.ts";
import { type TagLimit, tagLimitOf } from "./tag-limit.ts";

/** Which repositories of a listing somebody may see. */
export type Visible = "nothing" | ((repository: string) => boolean);

type CatalogRoute = Extract<Route, { operation: "list-repositories" }>;

/** What is to be done with a request. */
export type Plan = AllowedPlan | RefusedPlan;

/** `route` is what may be done, which can be less than what was asked for. */
export type AllowedPlan =
  | { readonly kind: "forward"; readonly allowed: true; readonly route: Route; readonly reason: string }
  /** The limit is to be kept before the route is passed on: some tags may be made, but neither changed nor deleted. */
  | {
      readonly kind: "create-only";
      readonly allowed: true;
      readonly route: Route;
      readonly reason: string;
      readonly tagLimit: TagLimit;
    }
  /** The gate makes the page itself, of what the caller may see. */
  | {
      readonly kind: "filter-catalog";
      readonly allowed: true;
      readonly route: CatalogRoute;
      readonly reason: string;
      readonly visible: Visible | "everything";
    };

export type RefusedPlan =
  /** Other credentials would do. */
  | {
      readonly kind: "challenge";
      readonly allowed: false;
      readonly reason: string;
      /** Of a login whose grants are too narrow, while the rules allow it (RFC 6750, section 3.1). */
      readonly error?: "insufficient_scope";
    }
  | { readonly kind: "deny"; readonly allowed: false; readonly reason: string };

/** Judges a route: every access that it needs must be allowed. */
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
  for (const access of accessesOf(route)) {
    const decision = policy.decide(principal, access);
    if (!decision.allowed) {
      if (decision.beyondGrants === true) return beyondGrants(principal, access);
      const none = `no rule allows ${access.action} on ${access.name}`;
      const reason = decision.rule === undefined ? none : `denied by access[${decision.rule}]`;
      return refuse(principal, `${reason}${unknownGroups(principal)}`);
    }
    reason = decision.rule === undefined ? "authenticated" : `access[${decision.rule}]`;
  }
  const tagLimit = tagLimitOf(policy, principal, route);
  const granted = { allowed: true, route: withoutForbiddenMount(policy, principal, route), reason } as const;
  return tagLimit === undefined ? { kind: "forward", ...granted } : { kind: "create-only", ...granted, tagLimit };
}

/** Whoever has not signed in may be allowed once they have; an anonymous token may be too narrow. */
function refuse(principal: Principal, reason: string): RefusedPlan {
  if (principal.kind === "user") return { kind: "deny", allowed: false, reason };
  const error = principal.grants === undefined ? {} : ({ error: "insufficient_scope" } as const);
  return { kind: "challenge", allowed: false, reason, ...error };
}

/** What an operator has to know who wonders why somebody is not taken for a member of their groups. */
function unknownGroups(principal: Principal): string {
  const reason = principal.kind === "user" ? principal.identity.groupsIncomplete : undefined;
  return reason === undefined ? "" : `; not all groups are known: ${reason}`;
}

/** A client with a Bearer token can get one that was issued for more; another login has the grants that it has. */
function beyondGrants(principal: Principal, { action, name }: Access): RefusedPlan {
  const reason = `the login's grants do not include ${action} on ${name}`;
  return principal.kind === "user" && principal.via !== "bearer"
    ? { kind: "deny", allowed: false, reason }
    : { kind: "challenge", allowed: false, reason, error: "insufficient_scope" };
}

/**
 * Whoever is known may ask for the list; it names what they may pull. A Bearer token needs the list among its grants: its
 * client can ask for another one, and must not take a part of the list for the whole.
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
    const all = { allowed: true, route, reason: "may pull every repository" } as const;
    // Only the gate can read where such a page begins.
    return isSealed(route.page.last)
      ? { kind: "filter-catalog", ...all, visible: "everything" }
      : { kind: "forward", ...all };
  }
  if (reach === "nothing") {
    return principal.kind === "user"
      ? { kind: "filter-catalog", allowed: true, route, reason: "may pull no repository", visible: "nothing" }
      : refuse(principal, "no credentials");
  }
  const visible = (name: string): boolean =>
    policy.decide(lister, { type: "repository", name, action: "pull" }).allowed;
  return { kind: "filter-catalog", allowed: true, route, reason: "may pull some repositories", visible };
}

/** With the list among the grants, what it names is a matter of the rules alone. */
function withoutGrants(principal: Principal): Principal {
  const { grants: _, ...rest } = principal;
  return rest;
}

/** Without pull on its source a mount becomes an upload: refusing it would abort the client's whole push. */
function withoutForbiddenMount(policy: Policy, principal: Principal, route: Route): Route {
  if (route.operation !== "start-upload" || route.mount === undefined) return route;
  const { from } = route.mount;
  if (policy.decide(principal, { type: "repository", name: from, action: "pull" }).allowed) return route;
  return { ...route, mount: undefined };
}
