import type { Access } from "@registry-gate/auth";
import type { Route } from "./route.ts";

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

/** The accesses for a challenge, so that a token with them suffices for the route. */
export function challengedAccesses(route: Route): readonly Access[] {
  if (route.operation === "list-repositories") return [catalogAccess];
  if (route.operation !== "start-upload" || route.mount === undefined) return accessesOf(route);
  return [...accessesOf(route), { type: "repository", name: route.mount.from, action: "pull" }];
}

/** Whether the route can change what the registry holds. */
export function isWrite(route: Route): boolean {
  return accessesOf(route).some(({ action }) => action !== "pull");
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
