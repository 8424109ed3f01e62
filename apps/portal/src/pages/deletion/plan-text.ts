import type { Deletion } from "../../registry/deletion.ts";

/** What somebody has agreed to, as the form carries it. */
export function planText({ target, tags, digest }: Deletion): string {
  return JSON.stringify([target, digest, tags]);
}
