import type { IncomingMessage } from "node:http";
import { addressSet } from "@registry-gate/auth-kit";
import { type Client, clientOf } from "./client.ts";

/** Who is asking, as seen from outside, and by which scheme and host. */
export type RequestClient = Pick<Client, "address" | "scheme" | "host">;

/**
 * Makes a function that tells the client apart from the proxies in front, as the gate itself does.
 *
 * @param trustedProxies As in the options of `registryProxy`.
 * @throws {SyntaxError} for an entry that is no address, CIDR block or `unix:`.
 */
export function clientReader(trustedProxies: readonly string[]): (request: IncomingMessage) => RequestClient {
  const trusted = addressSet(trustedProxies);
  return (request) => clientOf(request, trusted);
}
