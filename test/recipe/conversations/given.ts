import { basic } from "../../support/basic.ts";
import { configOf, digestOf, manifestOf, manifestType } from "../../support/registry-content.ts";

/** What both registries hold before anything is asked. */
export const given = {
  /** Has the tags 1, 2 and 3. */
  repository: "team/app",
  tags: ["1", "2", "3"],
  layer: "0123456789".repeat(10),
} as const;

export const layerDigest: string = digestOf(given.layer);
export const configDigest: string = digestOf(configOf(given.layer));
export const manifest: string = manifestOf(given.layer);
export const manifestDigest: string = digestOf(manifest);
/** Nothing has it. */
export const unknownDigest: string = digestOf("nothing");

export const known: { readonly authorization: string } = basic("testuser", "testpassword");
export const acceptsManifest: { readonly accept: string } = { accept: manifestType };
