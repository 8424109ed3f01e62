import type { ServerResponse } from "node:http";
import { addVary } from "./app-headers.ts";

/** Values by name. Values of `Vary` are added to those already present. */
export type AddedHeaders = Readonly<Record<string, string>>;

const added = new WeakMap<ServerResponse, AddedHeaders>();

/**
 * Adds headers to a response whoever writes its head: for the registry's responses, the gate's own, and every error.
 */
export function addHeaders(response: ServerResponse, headers: AddedHeaders): void {
  added.set(response, headers);
}

/** Writes the added headers. Called after all other headers are set. */
export function writeAddedHeaders(response: ServerResponse): void {
  const headers = added.get(response);
  if (headers === undefined) return;
  for (const [name, value] of Object.entries(headers)) {
    if (name === "Vary") addVary(response, value);
    else response.setHeader(name, value);
  }
}
