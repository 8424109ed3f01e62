import type { Configuration } from "../config/configuration.ts";
import type { TlsIdentity } from "./tls.ts";

/** Why no client is asked for a certificate, for backends that rest on one; `undefined` where clients are asked. */
export function whyNoClientCertificates(
  listen: Configuration["listen"],
  tls: TlsIdentity | undefined,
): string | undefined {
  if ((tls?.clientAuth ?? "none") !== "none") return undefined;
  return listen.tls?.clientCa === undefined ? "without listen.tls.clientCa" : "with listen.tls.clientAuth: none";
}
