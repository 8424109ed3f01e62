import type { Identity } from "@registry-gate/auth";
import { isRepository } from "../route/names.ts";
import type { Policy } from "./policy.ts";

/** What somebody may do to one repository. */
export interface Permissions {
  /** Read manifests, blobs, tags and referrers. */
  readonly pull: boolean;
  /** Upload blobs and put manifests. A tag that exists may be immutable all the same. */
  readonly push: boolean;
  /** Delete manifests and blobs. */
  readonly delete: boolean;
}

/**
 * What the rules allow the caller on a repository, whether or not it exists. It is what a request would be told, by the
 * same decision.
 *
 * @param repository A full name, such as `team/app`. On what cannot be a repository's name nothing is allowed.
 */
export function permissionsOf(policy: Policy, caller: Identity | "anonymous", repository: string): Permissions {
  const principal = caller === "anonymous" ? caller : { identity: caller };
  const may = (action: keyof Permissions): boolean =>
    isRepository(repository) && policy.decide(principal, { type: "repository", name: repository, action }).allowed;
  return { pull: may("pull"), push: may("push"), delete: may("delete") };
}
