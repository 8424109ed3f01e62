import type { Access, Principal } from "@registry-gate/auth";
import { accessesOf, catalogAccess } from "../route/accesses.ts";
import { largestPage, type Route } from "../route/route.ts";
import { grantsCatalog, grantsOf } from "./grants.ts";
import type { Policy } from "./policy.ts";
import { type TagLimit, tagLimitOf } from "./tag-limit.ts";

/** Which repositories of a listing somebody may see. */
export type Visible = "nothing" | ((repository: string) => boolean);

export type Authorization =
  /** `route` is what may be done, which can be less than what was asked for. */
  | {
      readonly allowed: true;
      readonly route: Route;
      readonly reason: string;
      /** Of a listing of repositories, what of it the caller may see; `undefined` for all of it. */
      readonly visible?: Visible;
      /** To be kept before the route is passed on; `undefined` where no tag is immutable. */
      readonly tagLimit?: TagLimit;
    }
  | {
      readonly allowed: false;
      readonly reason: string;
      /** The rules allow it: only the grants of the login are too narrow. */
      readonly beyondGrants?: true;
    };

/** Judges a route: every access that it needs must be allowed. */
export function authorize(policy: Policy, principal: Principal, route: Route): Authorization {
  if (route.operation === "ping") {
    // A client learns from this answer that there is something to log in to, so nobody may pass it unknown.
    return principal.kind === "user"
      ? { allowed: true, route, reason: "authenticated" }
      : { allowed: false, reason: "no credentials" };
  }
  if (route.operation === "list-repositories") {
    return authorizeCatalog(policy, principal, route);
  }
  let reason = "";
  for (const access of accessesOf(route)) {
    const decision = policy.decide(principal, access);
    if (!decision.allowed) {
      if (decision.beyondGrants === true) return beyondGrants(access);
      const none = `no rule allows ${access.action} on ${access.name}`;
      const reason = decision.rule === undefined ? none : `denied by access[${decision.rule}]`;
      return { allowed: false, reason: `${reason}${unknownGroups(principal)}` };
    }
    reason = decision.rule === undefined ? "authenticated" : `access[${decision.rule}]`;
  }
  const tagLimit = tagLimitOf(policy, principal, route);
  const granted = { allowed: true, route: withoutForbiddenMount(policy, principal, route), reason } as const;
  return tagLimit === undefined ? granted : { ...granted, tagLimit };
}

/** What an operator has to know who wonders why somebody is not taken for a member of their groups. */
function unknownGroups(principal: Principal): string {
  const reason = principal.kind === "user" ? principal.identity.groupsIncomplete : undefined;
  return reason === undefined ? "" : `; not all groups are known: ${reason}`;
}

function beyondGrants({ action, name }: Access): Authorization {
  return { allowed: false, reason: `the login's grants do not include ${action} on ${name}`, beyondGrants: true };
}

type CatalogRoute = Extract<Route, { operation: "list-repositories" }>;

/**
 * Whoever is known may ask for the list; it names what they may pull. A Bearer token needs the list among its grants: its
 * client can ask for another one, and must not take a part of the list for the whole.
 */
function authorizeCatalog(policy: Policy, principal: Principal, asked: CatalogRoute): Authorization {
  const { n } = asked.page;
  const route = n === undefined ? asked : { ...asked, page: { ...asked.page, n: Math.min(n, largestPage) } };
  const grants = grantsOf(principal);
  const whole = grants === undefined || grantsCatalog(grants);
  if (!whole && principal.kind === "user" && principal.via === "bearer") return beyondGrants(catalogAccess);
  const lister = whole ? withoutGrants(principal) : principal;
  const reach = policy.reach(lister, "pull");
  if (reach === "everything") return { allowed: true, route, reason: "may pull every repository" };
  if (reach === "nothing") {
    return principal.kind === "user"
      ? { allowed: true, route, reason: "may pull no repository", visible: "nothing" }
      : { allowed: false, reason: "no credentials" };
  }
  const visible = (name: string): boolean =>
    policy.decide(lister, { type: "repository", name, action: "pull" }).allowed;
  return { allowed: true, route, reason: "may pull some repositories", visible };
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
