import type { Route } from "./route.ts";

/** Whether the route changes what the registry holds, uploads that are not finished included. */
export function changesRegistry({ operation }: Route): boolean {
  switch (operation) {
    case "ping":
    case "list-repositories":
    case "list-tags":
    case "list-referrers":
    case "get-manifest":
    case "get-blob":
    case "get-upload":
      return false;
    case "put-manifest":
    case "start-upload":
    case "continue-upload":
    case "finish-upload":
    case "cancel-upload":
    case "delete-manifest":
    case "delete-blob":
      return true;
  }
}
