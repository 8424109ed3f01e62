import type { Grammar } from "./grammar.ts";
import { mediaTypeOf } from "./media-type.ts";
import { remembered } from "./remembered.ts";

/**
 * What a registry is told of every blob. A blob has no type of its own; but of a POST without any type Rack, for one,
 * believes that it is a form.
 */
export const blobType = "application/octet-stream";

/**
 * `Content-Type` of a body, such as a manifest: one media type. Which of them are manifests is the registry's to say. A
 * form is outside the grammar: a registry reads parameters such as `mount` and `from` out of it.
 */
export const contentType: Grammar = remembered((value) => (isForm(value) ? undefined : mediaTypeOf(value)));

/** Whether a `Content-Type` is plainly that of a form. What is malformed is none, and is none of {@link contentType}. */
export function isForm(value: string): boolean {
  const type = mediaTypeOf(value);
  return type === "application/x-www-form-urlencoded" || type?.startsWith("multipart/") === true;
}

/** `Content-Type` of a blob: always {@link blobType}, whatever the client calls it, unless that is no type or a form. */
export const blobContentType: Grammar = (value) => (contentType(value) === undefined ? undefined : blobType);
