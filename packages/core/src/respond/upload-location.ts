import type { ResponseHead } from "../forward/transport.ts";
import { UpstreamFault } from "../forward/upstream-fault.ts";
import { parseRoute } from "../route/parse-route.ts";
import type { Refusal } from "../route/refusal.ts";
import type { Route } from "../route/route.ts";
import { upstreamTarget } from "../route/upstream-target.ts";
import { isSealed, type Sealer } from "../seal/sealer.ts";
import { upstreamUnreachable } from "./responses.ts";

/** A route to an upload that has begun. */
export type UploadRoute = Extract<Route, { readonly upload: string }>;

/** How long a sealed location is good for, in milliseconds. Each response to an upload has a new one. */
const lifetime = 24 * 3_600_000;

/** The place was not given to this user for this repository, or too long ago. */
export const uploadUnknown: Refusal = {
  status: 404,
  code: "BLOB_UPLOAD_UNKNOWN",
  message: "the upload is unknown: begin it anew",
};

/** Whether the route leads to a place that the gate has sealed. */
export function isSealedUpload(route: Route): route is UploadRoute {
  return "upload" in route && isSealed(route.upload);
}

/**
 * The target for the registry of an upload whose location the gate has sealed.
 *
 * @param holder Who is asking. It is the one whom the location was given to.
 * @returns `undefined` where it was given to somebody else, for another repository, too long ago, or never.
 */
export function sealedUploadTarget(route: UploadRoute, holder: string, sealer: Sealer): string | undefined {
  const text = sealer.open(route.upload, contextOf(route.repository, holder));
  const [, since = "", target = ""] = text === undefined ? [] : (/^(\d+) (.+)$/s.exec(text) ?? []);
  if (target === "" || Date.now() - Number(since) > lifetime) return undefined;
  if (route.operation !== "finish-upload" || route.digest === undefined) return target;
  return `${target}${target.includes("?") ? "&" : "?"}digest=${encodeURIComponent(route.digest)}`;
}

/**
 * Makes the `Location` of an upload lead to the gate. To a client it is opaque (OCI distribution specification 1.1, section
 * "Pushing a blob in chunks"), and registries differ in what they write there. One that has distribution's form,
 * `/v2/NAME/blobs/uploads/ID` with at most `_state`, stays as it is. Any other is sealed: the gate authorises by the path,
 * and could not tell what such a location is about.
 *
 * @param sent The target by which the registry was asked, against which a relative location is resolved.
 * @throws {UpstreamFault} where the location cannot be understood or is too long to be sealed.
 */
export function withUploadLocation(
  head: ResponseHead,
  route: Route,
  sent: string,
  upstream: URL,
  holder: string,
  sealer: Sealer,
): ResponseHead {
  const { location } = head.headers;
  if (!isUpload(route) || typeof location !== "string" || head.statusCode >= 300 || head.statusCode === 201)
    return head;
  const base = new URL(sent, upstream);
  const url = URL.parse(location, base);
  // Of a scheme without a hierarchy, such as `urn:`, the path is no target of a request.
  if (url?.pathname.startsWith("/") !== true)
    throw new UpstreamFault(upstreamUnreachable, "the registry's Location is malformed");
  const { pathname, search } = url;
  if (hasKnownForm(pathname, search, route.repository)) {
    return /^(?:\/|https?:)/i.test(location) ? head : withLocation(head, pathname + search);
  }
  const sealed = sealer.seal(`${Date.now()} ${pathname}${search}`, contextOf(route.repository, holder));
  if (sealed === undefined) throw new UpstreamFault(upstreamUnreachable, "the registry's Location is too long");
  return withLocation(head, `/v2/${route.repository}/blobs/uploads/${sealed}`);
}

function withLocation(head: ResponseHead, location: string): ResponseHead {
  return { ...head, headers: { ...head.headers, location } };
}

function isUpload(route: Route): route is UploadRoute | Extract<Route, { readonly operation: "start-upload" }> {
  return route.operation === "start-upload" || "upload" in route;
}

/** Whether the gate understands the location as that of an upload to the repository, and would lose none of it. */
function hasKnownForm(path: string, search: string, repository: string): boolean {
  const { route } = parseRoute("PATCH", path + search);
  if (route?.operation !== "continue-upload" || route.repository !== repository || isSealed(route.upload)) return false;
  const [written] = upstreamTarget(route).split("?");
  const parameters = [...new URLSearchParams(search).keys()];
  return written === path && parameters.every((name) => name === "_state");
}

function contextOf(repository: string, holder: string): readonly string[] {
  return ["upload", repository, holder];
}
