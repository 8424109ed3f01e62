import type { Route } from "../../route/route.ts";

/** What a write changes for readers. */
export interface Touched {
  readonly repository: string;
  /** Resources; undefined for everything in the repository. */
  readonly names: readonly string[] | undefined;
}

/**
 * What has to be forgotten when a write passes.
 *
 * A pushed blob changes nothing that is kept: only what is there is. What is deleted by digest takes the tags that refer to
 * it along.
 */
export function touchedBy(route: Route): Touched | undefined {
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
