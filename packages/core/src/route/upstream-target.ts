import type { ListingRoute, Page, Route } from "./route.ts";

/** Builds the request target for the upstream from the route alone. */
export function upstreamTarget(route: Route): string {
  switch (route.operation) {
    case "ping":
      return "/v2/";
    case "list-repositories":
      return `${listingPath(route)}${query(pageParameters(route.page))}`;
    case "list-tags":
      return `${listingPath(route)}${query([...pageParameters(route.page), ["ns", route.namespace]])}`;
    case "get-manifest":
      return `/v2/${route.repository}/manifests/${route.reference}${query([["ns", route.namespace]])}`;
    case "delete-manifest":
      return `/v2/${route.repository}/manifests/${route.reference}`;
    case "put-manifest":
      return `/v2/${route.repository}/manifests/${route.reference}${query(route.tags.map((tag) => ["tag", tag]))}`;
    case "get-blob":
      return `/v2/${route.repository}/blobs/${route.reference}${query([["ns", route.namespace]])}`;
    case "delete-blob":
      return `/v2/${route.repository}/blobs/${route.reference}`;
    case "start-upload":
      return `/v2/${route.repository}/blobs/uploads/${query([
        ["mount", route.mount?.digest],
        ["from", route.mount?.from],
        ["digest", route.digest],
        ["digest-algorithm", route.digestAlgorithm],
      ])}`;
    case "get-upload":
    case "continue-upload":
    case "cancel-upload":
      return `/v2/${route.repository}/blobs/uploads/${route.upload}${query([["_state", route.state]])}`;
    case "finish-upload":
      return `/v2/${route.repository}/blobs/uploads/${route.upload}${query([
        ["_state", route.state],
        ["digest", route.digest],
      ])}`;
    case "list-referrers":
      return `${listingPath(route)}${query([
        ["artifactType", route.artifactType],
        ...pageParameters(route.page),
        ["ns", route.namespace],
      ])}`;
  }
}

/** The path of a listing, without the page. */
export function listingPath(route: ListingRoute): string {
  switch (route.operation) {
    case "list-repositories":
      return "/v2/_catalog";
    case "list-tags":
      return `/v2/${route.repository}/tags/list`;
    case "list-referrers":
      return `/v2/${route.repository}/referrers/${route.reference}`;
  }
}

type Parameter = readonly [name: string, value: string | undefined];

function pageParameters(page: Page): Parameter[] {
  return [
    ["n", page.n?.toString()],
    ["last", page.last],
  ];
}

function query(parameters: readonly Parameter[]): string {
  let text = "";
  for (const [name, value] of parameters) {
    if (value !== undefined) text += `${text === "" ? "?" : "&"}${name}=${encodeURIComponent(value)}`;
  }
  return text;
}
