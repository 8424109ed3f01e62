import type { Found } from "./finding.ts";
import type { ProbedCertificate } from "./probe-tls.ts";

/** Why a certificate is not trusted: `fault` is a code of Node or OpenSSL (openssl-verification-options(1)). */
export function certificateFault(fault: string, certificates: readonly ProbedCertificate[], url: URL): Found {
  const [own] = certificates;
  if (own === undefined) return ["tls-handshake", `${url.origin}: ${fault}`];
  switch (fault) {
    case "CERT_HAS_EXPIRED":
      return ["certificate-expired", expired(certificates)];
    case "CERT_NOT_YET_VALID":
      return ["certificate-not-yet-valid", `the certificate of ${own.subject} is valid from ${own.validFrom} on`];
    case "ERR_TLS_CERT_ALTNAME_INVALID":
      return [
        "certificate-name",
        `the certificate is for ${own.names === "" ? "no name" : own.names}, not for ${url.hostname}`,
      ];
    case "UNABLE_TO_VERIFY_LEAF_SIGNATURE":
    case "UNABLE_TO_GET_ISSUER_CERT":
    case "UNABLE_TO_GET_ISSUER_CERT_LOCALLY":
    case "DEPTH_ZERO_SELF_SIGNED_CERT":
    case "SELF_SIGNED_CERT_IN_CHAIN":
    case "CERT_SIGNATURE_FAILURE":
    case "CERT_UNTRUSTED":
      return issuerFault(own, certificates);
    default:
      return ["tls-handshake", `${url.origin}: the certificate is not accepted: ${fault}`];
  }
}

function expired(certificates: readonly ProbedCertificate[]): string {
  const old = certificates.filter(({ validTo }) => Date.parse(validTo) < Date.now());
  const [one] = old.length > 0 ? old : certificates;
  return `the certificate of ${one?.subject} expired on ${one?.validTo}`;
}

/**
 * Certificates of public authorities say where their issuer's is to be had, and no root signs a server's directly: one that
 * comes alone lacks the rest of its chain. Without that, an authority of one's own may have signed it directly.
 */
function issuerFault(own: ProbedCertificate, certificates: readonly ProbedCertificate[]): Found {
  const last = certificates.at(-1) ?? own;
  if (own.selfIssued) return ["certificate-authority", `the certificate of ${own.subject} is signed by itself`];
  if (certificates.length === 1 && own.namesIssuerFile) {
    return [
      "certificate-chain",
      `the server sends its own certificate alone, without that of ${own.issuer}, which signed it`,
    ];
  }
  const root = last.selfIssued ? last.subject : last.issuer;
  return [
    "certificate-authority",
    `the certificate of ${own.subject} leads to ${root}, which is not among the authorities that are trusted here`,
  ];
}
