import type { Action } from "../oracle.ts";

/** What a registry does for a request, as it reads it. */
export interface RegistryOperation {
  readonly method: string;
  readonly action: Action;
  readonly repository: string;
  /** The repository that a blob is mounted from, by the query or by a form in the body. */
  readonly from: string | undefined;
}

/** What must be allowed for a request to a repository. */
export function actionOf(method: string, target: string): Action {
  if (target.includes("/blobs/uploads/")) return "push";
  if (method === "GET" || method === "HEAD") return "pull";
  return method === "DELETE" ? "delete" : "push";
}

const repositoryPath =
  /^\/v2\/(.+?)\/(?:manifests\/[^/]+|blobs\/uploads\/[^/]*|blobs\/[^/]+|tags\/list|referrers\/[^/]+)$/;

/**
 * Reads a request as the distribution's registry does, and more leniently where others might: the path is decoded, and
 * dot and empty segments are taken away.
 *
 * @param form Parameters that stand in the body.
 * @returns `undefined` for what is about no repository.
 */
export function operationOf(method: string, target: string, form: URLSearchParams): RegistryOperation | undefined {
  const [rawPath = "", ...query] = target.split("?");
  const path = cleanPath(decode(rawPath));
  const repository = repositoryPath.exec(path)?.[1];
  if (repository === undefined) return undefined;
  const parameters = new URLSearchParams(query.join("?"));
  const mounts = method === "POST" && path.endsWith("/blobs/uploads/");
  const from = mounts ? (form.get("from") ?? parameters.get("from") ?? undefined) : undefined;
  return { method, action: actionOf(method, path), repository, from };
}

function decode(path: string): string {
  return path.replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

/** Like Go's `path.Clean`, but that a slash at the end stays. */
function cleanPath(path: string): string {
  const segments: string[] = [];
  for (const segment of path.split("/")) {
    if (segment === "..") segments.pop();
    else if (segment !== "." && segment !== "") segments.push(segment);
  }
  return `/${segments.join("/")}${path.endsWith("/") ? "/" : ""}`;
}
