import type { Access } from "@registry-gate/auth";
import type { Route } from "./route.ts";

const none: readonly Access[] = [];

/**
 * What the caller must be allowed for the route. All of it is needed; `ping` needs nothing but an authenticated caller,
 * and a listing of repositories is judged name by name.
 *
 * The pull that a mount needs on its source is not in it: without that pull the mount is left out, not refused.
 */
export function accessesOf(route: Route): readonly Access[] {
  switch (route.operation) {
    case "ping":
    case "list-repositories":
      return none;
    case "list-tags":
    case "list-referrers":
    case "get-manifest":
    case "get-blob":
      return [{ type: "repository", name: route.repository, action: "pull" }];
    case "put-manifest":
    case "start-upload":
    case "get-upload":
    case "continue-upload":
    case "finish-upload":
    case "cancel-upload":
      return [{ type: "repository", name: route.repository, action: "push" }];
    case "delete-manifest":
    case "delete-blob":
      return [{ type: "repository", name: route.repository, action: "delete" }];
  }
}
