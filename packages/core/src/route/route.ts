/** A request in the terms of the OCI distribution specification. The upstream's target is built from it alone. */
export type Route =
  | { readonly operation: "ping" }
  | { readonly operation: "list-repositories"; readonly page: Page }
  | {
      readonly operation: "list-tags";
      readonly repository: string;
      readonly page: Page;
      readonly namespace: string | undefined;
    }
  | {
      readonly operation: "get-manifest" | "get-blob";
      readonly repository: string;
      readonly reference: string;
      /** The registry that a mirror is asked about: a host, possibly with a port. */
      readonly namespace: string | undefined;
    }
  | { readonly operation: "delete-manifest" | "delete-blob"; readonly repository: string; readonly reference: string }
  | {
      readonly operation: "put-manifest";
      readonly repository: string;
      readonly reference: string;
      /** Further tags of a manifest put by digest. */
      readonly tags: readonly string[];
    }
  | {
      readonly operation: "start-upload";
      readonly repository: string;
      /** This request contains the whole blob. */
      readonly digest: string | undefined;
      readonly mount: Mount | undefined;
      /** By which the digest of an upload in chunks will be made, such as `sha512`. */
      readonly digestAlgorithm: string | undefined;
    }
  | {
      readonly operation: "get-upload" | "continue-upload" | "cancel-upload";
      readonly repository: string;
      /** The registry's identifier, or a place that the gate has sealed. */
      readonly upload: string;
      readonly state: string | undefined;
    }
  | {
      readonly operation: "finish-upload";
      readonly repository: string;
      readonly upload: string;
      readonly state: string | undefined;
      readonly digest: string | undefined;
    }
  | {
      readonly operation: "list-referrers";
      readonly repository: string;
      readonly reference: string;
      readonly artifactType: string | undefined;
      readonly page: Page;
      readonly namespace: string | undefined;
    };

/** What a request asks of the registry, such as `get-manifest`. */
export type Operation = Route["operation"];

/** Routes with pages. */
export type ListingRoute = Extract<Route, { readonly page: Page }>;

export function isListing(route: Route): route is ListingRoute {
  return "page" in route;
}

/** Mounts a blob from another repository instead of uploading it. */
export interface Mount {
  readonly digest: string;
  readonly from: string;
}

/** The maximum page size of a catalog that a registry is asked for, whatever the client requests. */
export const largestPage = 5000;

/** The requested page of a listing. */
export interface Page {
  readonly n: number | undefined;
  /** The last entry of the previous page, or a sealed position. */
  readonly last: string | undefined;
}

export function repositoryOf(route: Route): string | undefined {
  return "repository" in route ? route.repository : undefined;
}

/** The tag or digest of the route. */
export function referenceOf(route: Route): string | undefined {
  if ("reference" in route) return route.reference;
  return "digest" in route ? route.digest : undefined;
}
