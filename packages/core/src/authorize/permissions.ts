import type { Principal } from "@registry-gate/auth";
import { isRepository } from "../route/names.ts";
import type { Permissions } from "./permission.ts";
import type { Policy } from "./policy.ts";

/**
 * What a principal may do to a repository, by the rules and their grants, whether or not it exists. It is what a request
 * would be told, by the same decision.
 *
 * @param repository A full name, such as `team/app`. On what cannot be a repository's name nothing is allowed.
 * @throws {TypeError} for what is no principal, such as an identity alone.
 */
export function permissionsOf(policy: Policy, principal: Principal, repository: string): Permissions {
  if (principal.kind !== "user" && principal.kind !== "anonymous") {
    throw new TypeError("a principal has the kind user or anonymous");
  }
  const may = (action: keyof Permissions): boolean =>
    isRepository(repository) && policy.decide(principal, { type: "repository", name: repository, action }).allowed;
  return { pull: may("pull"), push: may("push"), delete: may("delete") };
}
