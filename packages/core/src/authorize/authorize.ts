import { accessesOf } from "../route/accesses.ts";
import { isTag } from "../route/names.ts";
import { type Route, repositoryOf } from "../route/route.ts";
import type { Policy } from "./policy.ts";
import type { Principal } from "./principal.ts";

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
      /** Tags that the route may create, but not overwrite. */
      readonly onlyNew?: readonly string[];
    }
  | { readonly allowed: false; readonly reason: string };

/** Judges a route: every access that it needs must be allowed. */
export function authorize(policy: Policy, principal: Principal, route: Route): Authorization {
  if (route.operation === "ping") {
    // A client learns from this answer that there is something to log in to, so nobody may pass it unknown.
    return principal === "anonymous"
      ? { allowed: false, reason: "no credentials" }
      : { allowed: true, route, reason: "authenticated" };
  }
  if (route.operation === "list-repositories") {
    return authorizeCatalog(policy, principal, route);
  }
  let reason = "";
  for (const access of accessesOf(route)) {
    const decision = policy.decide(principal, access);
    if (!decision.allowed) return { allowed: false, reason: `no rule allows ${access.action} on ${access.name}` };
    reason = decision.rule === undefined ? "authenticated" : `access[${decision.rule}]`;
  }
  const onlyNew = tagsWrittenBy(route).filter((tag) => !policy.mayOverwrite(principal, repositoryOf(route) ?? "", tag));
  const granted = { allowed: true, route: withoutForbiddenMount(policy, principal, route), reason } as const;
  return onlyNew.length === 0 ? granted : { ...granted, onlyNew };
}

const noTags: readonly string[] = [];

function tagsWrittenBy(route: Route): readonly string[] {
  if (route.operation !== "put-manifest") return noTags;
  return isTag(route.reference) ? [route.reference, ...route.tags] : route.tags;
}

/** Whoever is known may ask for the list; it names what they may pull. */
function authorizeCatalog(policy: Policy, principal: Principal, route: Route): Authorization {
  const reach = policy.reach(principal, "pull");
  if (reach === "everything") return { allowed: true, route, reason: "may pull every repository" };
  if (reach === "nothing") {
    return principal === "anonymous"
      ? { allowed: false, reason: "no credentials" }
      : { allowed: true, route, reason: "may pull no repository", visible: "nothing" };
  }
  const visible = (name: string): boolean =>
    policy.decide(principal, { type: "repository", name, action: "pull" }).allowed;
  return { allowed: true, route, reason: "may pull some repositories", visible };
}

/** Without pull on its source a mount becomes an upload: refusing it would abort the client's whole push. */
function withoutForbiddenMount(policy: Policy, principal: Principal, route: Route): Route {
  if (route.operation !== "start-upload" || route.mount === undefined) return route;
  const { from } = route.mount;
  if (policy.decide(principal, { type: "repository", name: from, action: "pull" }).allowed) return route;
  return { ...route, mount: undefined };
}
