import { hash } from "node:crypto";

/**
 * Makes an `Identity.revision` from a value that changes with the password, such as its hash or the time of its last change.
 * It has 128 bits, in base64url.
 *
 * @param label Names the kind of `source`, so that equal values of two kinds give different revisions.
 */
export function revisionOf(label: string, source: string): string {
  const digest = hash("sha256", `registry-gate revision\0${label}\0${source}`, "buffer");
  return digest.subarray(0, 16).toString("base64url");
}
