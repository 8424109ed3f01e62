import { Problem } from "../http/problem.ts";
import { isRepositoryName } from "../names/repository-name.ts";

/** Where uploads are whose locations are opaque. */
export const opaqueUploads = "/artifacts-uploads";

/** What the path of a request names. References and digests are as the client wrote them, not yet checked. */
export type Target =
  | { readonly kind: "ping" }
  | { readonly kind: "catalog" }
  | { readonly kind: "tags"; readonly repository: string }
  | { readonly kind: "manifest"; readonly repository: string; readonly reference: string }
  | { readonly kind: "referrers"; readonly repository: string; readonly digest: string }
  | { readonly kind: "blob"; readonly repository: string; readonly digest: string }
  | { readonly kind: "uploads"; readonly repository: string }
  | { readonly kind: "upload"; readonly repository: string; readonly id: string };

/**
 * Reads the request target `url` (RFC 9112, section 3.2). The path is decoded once and understood from its right end, since
 * a repository may be called `a/manifests/b`. Throws a problem: 404 where it is no path of the registry, 400 where its
 * encoding or the repository's name is malformed.
 */
export function parseTarget(url: string): { target: Target; query: URLSearchParams } {
  const origin = /^http:\/\/[^/?]*/i.exec(url)?.[0] ?? "";
  const rest = url.slice(origin.length);
  const mark = rest.indexOf("?");
  const path = mark === -1 ? rest : rest.slice(0, mark);
  const query = new URLSearchParams(mark === -1 ? "" : rest.slice(mark + 1));
  const [empty, version, ...segments] = path.split("/").map(decode);
  if (path.startsWith(`${opaqueUploads}/`) && segments.at(-2) === "sessions") {
    return {
      target: { kind: "upload", repository: repositoryOf(segments.slice(0, -2)), id: segments.at(-1) ?? "" },
      query,
    };
  }
  if (empty !== "" || version !== "v2") throw notFound(path);
  return { target: targetOf(segments, path), query };
}

function targetOf(segments: readonly string[], path: string): Target {
  const last = segments.at(-1);
  if (last === undefined || (segments.length === 1 && last === "")) return { kind: "ping" };
  if (segments.length === 1 && last === "_catalog") return { kind: "catalog" };
  const named = (taken: number): string => repositoryOf(segments.slice(0, -taken));
  const before = segments.at(-2);
  if (segments.at(-3) === "blobs" && before === "uploads") {
    return last === "" ? { kind: "uploads", repository: named(3) } : { kind: "upload", repository: named(3), id: last };
  }
  if (before === "tags" && last === "list") return { kind: "tags", repository: named(2) };
  if (before === "manifests") return { kind: "manifest", repository: named(2), reference: last };
  if (before === "referrers") return { kind: "referrers", repository: named(2), digest: last };
  if (before === "blobs") {
    return last === "uploads"
      ? { kind: "uploads", repository: named(2) }
      : { kind: "blob", repository: named(2), digest: last };
  }
  throw notFound(path);
}

function repositoryOf(segments: readonly string[]): string {
  const name = segments.join("/");
  if (!isRepositoryName(name)) throw new Problem(400, "NAME_INVALID", "invalid repository name", { name });
  return name;
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    throw new Problem(400, "NAME_INVALID", "malformed percent-encoding in the path");
  }
}

function notFound(path: string): Problem {
  return new Problem(404, "UNSUPPORTED", "not a path of the registry", { path });
}
