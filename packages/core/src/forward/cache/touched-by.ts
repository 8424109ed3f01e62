import type { Route } from "../../route/route.ts";
import type { ContentChange } from "./content-changes.ts";

/**
 * What has to be forgotten when a write passes.
 *
 * A pushed blob changes nothing that is kept: only what is there is. What is deleted by digest takes the tags that refer to
 * it along.
 */
export function touchedBy(route: Route): ContentChange | undefined {
  switch (route.operation) {
    case "put-manifest": {
      const { repository, reference, tags } = route;
      return { repository, names: [reference, ...tags].map((each) => `manifests/${each}`) };
    }
    case "delete-manifest":
    case "delete-blob":
      return { repository: route.repository, names: undefined };
    default:
      return undefined;
  }
}
