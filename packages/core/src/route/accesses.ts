import type { Access } from "@registry-gate/auth";
import type { Operation, Route } from "./route.ts";

/** The access for listing repositories, as the Docker token specification names it. */
export const catalogAccess: Access = { type: "registry", name: "catalog", action: "*" };

const none: readonly Access[] = [];

/**
 * The accesses that a route needs, all of them. `ping` needs only an authenticated caller, and a listing of
 * repositories is authorized name by name.
 *
 * The pull that a mount needs on its source is not included: without it the mount is dropped, not refused.
 */
export function accessesOf(route: Route): readonly Access[] {
  const action = actionOf(route.operation);
  return action === undefined || !("repository" in route)
    ? none
    : [{ type: "repository", name: route.repository, action }];
}

/** The action that an operation needs on its repository; `undefined` for one that is about no repository. */
export function actionOf(operation: Operation): "pull" | "push" | "delete" | undefined {
  switch (operation) {
    case "ping":
    case "list-repositories":
      return undefined;
    case "list-tags":
    case "list-referrers":
    case "get-manifest":
    case "get-blob":
      return "pull";
    case "put-manifest":
    case "start-upload":
    case "get-upload":
    case "continue-upload":
    case "finish-upload":
    case "cancel-upload":
      return "push";
    case "delete-manifest":
    case "delete-blob":
      return "delete";
  }
}

/** The accesses for a challenge, so that a token with them suffices for the route. */
export function challengedAccesses(route: Route): readonly Access[] {
  if (route.operation === "list-repositories") return [catalogAccess];
  if (route.operation !== "start-upload" || route.mount === undefined) return accessesOf(route);
  return [...accessesOf(route), { type: "repository", name: route.mount.from, action: "pull" }];
}

/** Whether the route can change what the registry holds. */
export function isWrite({ operation }: Route): boolean {
  const action = actionOf(operation);
  return action === "push" || action === "delete";
}

/** Whether the route belongs to an upload that has begun: what may outlive the login that began it. */
export function continuesUpload({ operation }: Route): boolean {
  return (
    operation === "get-upload" ||
    operation === "continue-upload" ||
    operation === "finish-upload" ||
    operation === "cancel-upload"
  );
}
