import type { ServerResponse } from "node:http";
import { addVary } from "./app-headers.ts";

/** Values by name. Those of `Vary` are added to what the response has already. */
export type AddedHeaders = Readonly<Record<string, string>>;

const added = new WeakMap<ServerResponse, AddedHeaders>();

/** Gives a response headers that it gets whoever writes it: the registry's, the gate's own, and every error. */
export function addHeaders(response: ServerResponse, headers: AddedHeaders): void {
  added.set(response, headers);
}

/** Is called by whoever writes a head, after all other headers. */
export function writeAddedHeaders(response: ServerResponse): void {
  const headers = added.get(response);
  if (headers === undefined) return;
  for (const [name, value] of Object.entries(headers)) {
    if (name === "Vary") addVary(response, value);
    else response.setHeader(name, value);
  }
}
