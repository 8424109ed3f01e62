import { constants } from "node:crypto";
import type { SecureContextOptions } from "node:tls";
import type { TlsConfiguration } from "../config/sections/listen-tls.ts";

/** Everything that TLS 1.3 has for general use (RFC 8446, appendix B.4). */
const suitesOfTls13 = ["TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256", "TLS_AES_128_GCM_SHA256"];
/** Of TLS 1.2 those with forward secrecy and authenticated encryption: the ones that RFC 9325, section 4.2 recommends. */
const suitesOfTls12 = ["AES128-GCM-SHA256", "AES256-GCM-SHA384", "CHACHA20-POLY1305"].flatMap((cipher) => [
  `ECDHE-ECDSA-${cipher}`,
  `ECDHE-RSA-${cipher}`,
]);
/** Suites without encryption, or without a certificate, that a wide cipher string would bring along. */
const never = ["!eNULL", "!aNULL"];

/** The versions and ciphers of TLS that are offered to clients. */
export function protocolOptions({ minVersion = "TLSv1.2", ciphers }: TlsConfiguration): SecureContextOptions {
  return {
    minVersion,
    ciphers: cipherString(ciphers),
    honorCipherOrder: true,
    // A client that asks for a new handshake again and again makes the server work for little (CVE-2011-1473).
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
    // For DHE suites, which only a list of the operator's own has.
    dhparam: "auto",
  };
}

function cipherString(own: string | undefined): string {
  if (own === undefined) return [...suitesOfTls13, ...suitesOfTls12].join(":");
  // Exclusions alone would be a list for TLS 1.2 without any cipher.
  const forTls12 = own.split(":").some((name) => !name.startsWith("TLS_"));
  return forTls12 ? [own, ...never].join(":") : own;
}
