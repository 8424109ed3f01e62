import { isSealed } from "../seal/sealer.ts";
import { isDigest, isRepository, isTag, isUpload } from "./names.ts";
import * as parameters from "./parameters.ts";
import { type Refusal, RefusedError, refuse } from "./refusal.ts";
import type { Route } from "./route.ts";
import { parseTarget, type Target } from "./target.ts";

export type ParsedRoute =
  | { readonly route: Route; readonly refusal?: undefined }
  | { readonly route?: undefined; readonly refusal: Refusal };

/**
 * Parses a request of the OCI distribution specification 1.1 and of docker-registry's API (catalog, uploads with
 * `_state`), or returns why it is invalid.
 *
 * A path is parsed from its right end, because a repository may be called `a/manifests/b`. Unknown parameters are
 * dropped; a known one must not be repeated.
 *
 * @param target The request target as received, not decoded.
 */
export function parseRoute(method: string, target: string): ParsedRoute {
  try {
    return { route: understand(method, parseTarget(target)) };
  } catch (error) {
    if (error instanceof RefusedError) return { refusal: error.refusal };
    throw error;
  }
}

function understand(method: string, target: Target): Route {
  const rest = target.path.slice("/v2/".length);
  if (rest === "") return ping(method);
  if (rest === "_catalog") return listRepositories(method, target);

  if (rest.endsWith("/blobs/uploads/")) {
    return startUpload(method, repository(rest.slice(0, -"/blobs/uploads/".length)), target);
  }
  const slash = rest.lastIndexOf("/");
  const last = rest.slice(slash + 1);
  const before = slash === -1 ? "" : rest.slice(0, slash);
  if (last === "list" && before.endsWith("/tags")) {
    return listTags(method, repository(before.slice(0, -"/tags".length)), target);
  }
  if (before.endsWith("/manifests")) {
    return manifest(method, repository(before.slice(0, -"/manifests".length)), last, target);
  }
  if (before.endsWith("/blobs/uploads")) {
    return upload(method, repository(before.slice(0, -"/blobs/uploads".length)), last, target);
  }
  if (before.endsWith("/blobs")) {
    return blob(method, repository(before.slice(0, -"/blobs".length)), last, target);
  }
  if (before.endsWith("/referrers")) {
    return listReferrers(method, repository(before.slice(0, -"/referrers".length)), last, target);
  }
  return refuse(404, "UNSUPPORTED", "no registry operation has this path");
}

function ping(method: string): Route {
  if (!reads(method)) notAllowed("GET", "HEAD");
  return { operation: "ping" };
}

function listRepositories(method: string, target: Target): Route {
  if (method !== "GET") notAllowed("GET");
  return { operation: "list-repositories", page: parameters.page(target) };
}

function listTags(method: string, repository: string, target: Target): Route {
  if (!reads(method)) notAllowed("GET", "HEAD");
  return { operation: "list-tags", repository, page: parameters.page(target), namespace: parameters.namespace(target) };
}

function manifest(method: string, repository: string, reference: string, target: Target): Route {
  const write = method === "PUT";
  if (!write && !reads(method) && method !== "DELETE") notAllowed("GET", "HEAD", "PUT", "DELETE");
  if (!isTag(reference) && !isDigest(reference)) {
    // No manifest can have such a reference, so reads get a 404.
    if (reference.includes(":")) refuse(400, "DIGEST_INVALID", "the manifest's digest is malformed");
    if (write) refuse(400, "TAG_INVALID", "the manifest's tag is malformed");
    refuse(404, "MANIFEST_UNKNOWN", "no manifest can have this reference");
  }
  if (write) return { operation: "put-manifest", repository, reference, tags: parameters.tags(target) };
  if (method === "DELETE") return { operation: "delete-manifest", repository, reference };
  return { operation: "get-manifest", repository, reference, namespace: parameters.namespace(target) };
}

function blob(method: string, repository: string, reference: string, target: Target): Route {
  if (!reads(method) && method !== "DELETE") notAllowed("GET", "HEAD", "DELETE");
  if (!isDigest(reference)) refuse(400, "DIGEST_INVALID", "the blob's digest is malformed");
  if (method === "DELETE") return { operation: "delete-blob", repository, reference };
  return { operation: "get-blob", repository, reference, namespace: parameters.namespace(target) };
}

function startUpload(method: string, repository: string, target: Target): Route {
  if (method !== "POST") notAllowed("POST");
  const digest = parameters.digest(target);
  const digestAlgorithm = parameters.digestAlgorithm(target);
  return { operation: "start-upload", repository, digest, mount: parameters.mount(target), digestAlgorithm };
}

function upload(method: string, repository: string, upload: string, target: Target): Route {
  if (!isUpload(upload) && !isSealed(upload)) refuse(404, "BLOB_UPLOAD_UNKNOWN", "no upload can have this identifier");
  const state = parameters.uploadState(target);
  switch (method) {
    case "GET":
    case "HEAD":
      return { operation: "get-upload", repository, upload, state };
    case "PATCH":
      return { operation: "continue-upload", repository, upload, state };
    case "DELETE":
      return { operation: "cancel-upload", repository, upload, state };
    case "PUT":
      return { operation: "finish-upload", repository, upload, state, digest: parameters.digest(target) };
    default:
      return notAllowed("GET", "HEAD", "PATCH", "PUT", "DELETE");
  }
}

function listReferrers(method: string, repository: string, reference: string, target: Target): Route {
  if (!reads(method)) notAllowed("GET", "HEAD");
  if (!isDigest(reference)) refuse(400, "DIGEST_INVALID", "the subject's digest is malformed");
  const artifactType = parameters.artifactType(target);
  const namespace = parameters.namespace(target);
  return { operation: "list-referrers", repository, reference, artifactType, page: parameters.page(target), namespace };
}

function repository(name: string): string {
  if (!isRepository(name)) refuse(400, "NAME_INVALID", "the repository's name is malformed");
  return name;
}

function reads(method: string): boolean {
  return method === "GET" || method === "HEAD";
}

function notAllowed(...allow: readonly string[]): never {
  return refuse(405, "UNSUPPORTED", "the operation is unsupported", allow);
}
