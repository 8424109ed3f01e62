import type { Grammar } from "./grammar.ts";
import { mediaTypeOf } from "./media-type.ts";
import { remembered } from "./remembered.ts";

/**
 * The `Content-Type` of every blob. A blob has no type of its own, but Rack, for one, treats a POST without one as a
 * form.
 */
export const blobType = "application/octet-stream";

/**
 * `Content-Type` of a body, such as a manifest: one media type. The registry decides which are manifests. Forms are not
 * allowed: a registry could read parameters such as `mount` and `from` from the body.
 */
export const contentType: Grammar = remembered((value) => (isForm(value) ? undefined : mediaTypeOf(value)));

/** Whether a `Content-Type` is that of a form. A malformed one is neither a form nor a valid {@link contentType}. */
export function isForm(value: string): boolean {
  const type = mediaTypeOf(value);
  return type === "application/x-www-form-urlencoded" || type?.startsWith("multipart/") === true;
}

/** `Content-Type` of a blob: always {@link blobType}, whatever the client sends, unless that is malformed or a form. */
export const blobContentType: Grammar = (value) => (contentType(value) === undefined ? undefined : blobType);
