import { remembered } from "../../grammar/remembered.ts";
import type { UpstreamRequest } from "../transport.ts";
import { isVerifiable } from "./body-verifier.ts";

/** A manifest or blob that is asked for. */
export interface Asked {
  readonly repository: string;
  /** Of the resource in its repository, as in {@link ContentChange}. */
  readonly name: string;
  /** Undefined for a tag. */
  readonly digest: string | undefined;
}

/** What may be read from the cache; `undefined` where the request passes by. */
export function askedBy({ method, headers, body, route }: UpstreamRequest): Asked | undefined {
  if (route?.operation !== "get-manifest" && route?.operation !== "get-blob") return undefined;
  if ((method !== "GET" && method !== "HEAD") || body !== undefined) return undefined;
  // Parts of blobs, and conditions by date, are left to the registry.
  if (headers.range !== undefined || headers["if-range"] !== undefined) return undefined;
  if (headers["if-modified-since"] !== undefined) return undefined;
  const { repository, reference } = route;
  if (route.operation === "get-manifest" && !reference.includes(":")) {
    return { repository, name: `manifests/${reference}`, digest: undefined };
  }
  if (!isVerifiable(reference)) return undefined;
  const kind = route.operation === "get-manifest" ? "manifests" : "blobs";
  return { repository, name: `${kind}/${reference}`, digest: reference };
}

/** Whether it asks whether a blob is there: no reason to read the blob. */
export function isProbe({ method, route }: UpstreamRequest): boolean {
  return method === "HEAD" && route?.operation === "get-blob";
}

/**
 * The elements of `Accept`, as the gate writes it, in one order: docker sends them in a random one, which has no meaning (RFC
 * 9110, section 12.5.1).
 */
const inOrder = remembered((accept) => accept.split(", ").sort().join(", "));

/** What registries select a response by, beside the path. */
export function variantOf({ headers, target }: UpstreamRequest): string {
  const query = target.indexOf("?");
  return [
    query === -1 ? "" : target.slice(query),
    inOrder(String(headers.accept ?? "")),
    headers["accept-encoding"] ?? "",
    headers.host ?? "",
    headers["oci-namespace"] ?? "",
    headers["x-forwarded-host"] ?? "",
    headers["x-forwarded-proto"] ?? "",
  ].join("\n");
}
