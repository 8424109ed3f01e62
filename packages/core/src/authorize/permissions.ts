import type { Principal } from "@registry-gate/auth";
import { isRepository } from "../route/names.ts";
import { grantsCatalog, grantsOf } from "./grants.ts";
import type { Permissions } from "./permission.ts";
import type { Policy } from "./policy.ts";

/**
 * The permissions of a principal on a repository, by the rules and the grants, whether or not it exists. Requests are
 * authorized by the same code.
 *
 * @param repository A full name, such as `team/app`. Nothing is allowed on an invalid name.
 * @throws {TypeError} for anything but a principal, such as an identity alone.
 */
export function permissionsOf(policy: Policy, principal: Principal, repository: string): Permissions {
  if (principal.kind !== "user" && principal.kind !== "anonymous") {
    throw new TypeError("a principal has the kind user or anonymous");
  }
  const may = (action: keyof Permissions): boolean =>
    isRepository(repository) && policy.decide(principal, { type: "repository", name: repository, action }).allowed;
  return { pull: may("pull"), push: may("push"), delete: may("delete") };
}

/**
 * Whether a principal may be granted the list of repositories: users may, as it names what they may pull, and anonymous users
 * where there is anything that they may pull. Grants that cut a login must have the list among them.
 */
export function mayListRepositories(policy: Policy, principal: Principal): boolean {
  const grants = grantsOf(principal);
  if (grants !== undefined && !grantsCatalog(grants)) return false;
  return principal.kind === "user" || policy.reach({ kind: "anonymous" }, "pull") !== "nothing";
}
