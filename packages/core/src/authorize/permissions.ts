import type { Principal } from "@registry-gate/auth";
import { isRepository } from "../route/names.ts";
import type { Policy } from "./policy.ts";

/** The permissions on one repository. */
export interface Permissions {
  /** Read manifests, blobs, tags and referrers. */
  readonly pull: boolean;
  /** Upload blobs and put manifests. An existing tag may still be immutable. */
  readonly push: boolean;
  /** Delete manifests and blobs. */
  readonly delete: boolean;
}

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
