import { z } from "zod";
import { type MakeAbsolute, withAbsolute } from "../section.ts";
import { text } from "../value-schemas.ts";

export interface TlsConfiguration {
  /** PEM files. */
  readonly certificate: string;
  readonly key: string;
  /** A PEM file with the certificate authorities of clients. */
  readonly clientCa?: string;
  /** `optional` where there is a `clientCa`, or else `none`. */
  readonly clientAuth?: ClientAuth;
  readonly minVersion?: "TLSv1.2" | "TLSv1.3";
  /** A cipher string of OpenSSL, in place of the gate's own. */
  readonly ciphers?: string;
}

/** Whether clients are asked for a certificate, and whether the handshake fails without a valid one. */
export type ClientAuth = "none" | "optional" | "required";

export const tlsSchema: z.ZodType<TlsConfiguration> = z.strictObject(
  {
    certificate: text().describe("A PEM file with the certificate and its chain"),
    key: text().describe("A PEM file with the private key"),
    clientCa: text()
      .describe("A PEM file with the authorities of clients' certificates, such as a fronting proxy's")
      .exactOptional(),
    clientAuth: z
      .enum(["none", "optional", "required"], "must be none, optional or required")
      .describe("Whether clients need a certificate of clientCa; optional by default where there is a clientCa")
      .exactOptional(),
    minVersion: z.enum(["TLSv1.2", "TLSv1.3"], "must be TLSv1.2 or TLSv1.3").exactOptional(),
    ciphers: text()
      .describe("A cipher string of OpenSSL, in place of ECDHE with AES-GCM or ChaCha20-Poly1305")
      .exactOptional(),
  },
  "must hold certificate and key",
);

export function tlsWithAbsolutePaths(tls: TlsConfiguration, absolute: MakeAbsolute): TlsConfiguration {
  return withAbsolute(tls, ["certificate", "key", "clientCa"], absolute);
}
