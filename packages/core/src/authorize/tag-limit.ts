import type { Principal } from "@registry-gate/auth";
import { isTag } from "../route/names.ts";
import type { Route } from "../route/route.ts";
import type { ImmutableTags, Policy } from "./policy.ts";

/** What an allowed route must not do to immutable tags. */
export type TagLimit =
  /** It may create the tags, but not overwrite them. */
  | { readonly kind: "only-new"; readonly tags: readonly string[] }
  /** It would delete the tag. */
  | { readonly kind: "kept"; readonly tag: string }
  /** It must not delete what such tags refer to. */
  | { readonly kind: "unreferenced"; readonly digest: string; readonly isImmutable: ImmutableTags };

/**
 * The limit that immutable tags impose on an allowed route. A manifest that is put by digest changes only the tags
 * named in its query, and an upload changes none.
 */
export function tagLimitOf(policy: Policy, principal: Principal, route: Route): TagLimit | undefined {
  switch (route.operation) {
    case "put-manifest": {
      const isImmutable = policy.immutableTags(principal, route.repository, "push");
      const written = isTag(route.reference) ? [route.reference, ...route.tags] : route.tags;
      const tags = isImmutable === undefined ? [] : written.filter(isImmutable);
      return tags.length === 0 ? undefined : { kind: "only-new", tags };
    }
    case "delete-manifest":
    case "delete-blob": {
      const { repository, reference } = route;
      const isImmutable = policy.immutableTags(principal, repository, "delete");
      if (isImmutable === undefined) return undefined;
      if (!isTag(reference)) return { kind: "unreferenced", digest: reference, isImmutable };
      // A deletion by tag deletes only the tag (OCI distribution specification 1.1, "Deleting tags").
      return isImmutable(reference) ? { kind: "kept", tag: reference } : undefined;
    }
    default:
      return undefined;
  }
}
