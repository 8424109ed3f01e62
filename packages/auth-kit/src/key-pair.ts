import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";

/** What a file with a certificate and its chain, and the file with its key, come to. Each text is one line. */
export interface KeyPairFindings {
  /** Why the key cannot be used with the certificate. */
  readonly fault: string | undefined;
  /** What works here, but perhaps not with every peer, or not for long: about the file with the certificates. */
  readonly warnings: readonly string[];
}

const CERTIFICATE = /-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----[^-]*-----END (?:X509 |TRUSTED )?CERTIFICATE-----/g;

/**
 * Looks at a certificate and its key, both in PEM. OpenSSL keeps a pair for each kind of key, and finds no fault with an
 * EC certificate beside an RSA key: no handshake would succeed with them.
 *
 * The first certificate must be that of the key, and each one should be issued by the next (RFC 8446, section 4.4.2).
 *
 * @throws {Error} of OpenSSL, where one of the two is not what it should be.
 */
export function inspectKeyPair(certificates: Buffer, key: Buffer, now: Date = new Date()): KeyPairFindings {
  const [leaf, ...issuers] = readCertificates(certificates);
  if (leaf === undefined) throw new Error("there is no certificate in PEM");
  const chain = [leaf, ...issuers];
  return {
    fault: mismatch(chain, createPrivateKey(key)),
    warnings: [...chain.flatMap((certificate, index) => validity(certificate, index, now)), ...disorder(chain)],
  };
}

function readCertificates(pem: Buffer): X509Certificate[] {
  return [...pem.toString("latin1").matchAll(CERTIFICATE)].map(([text]) => new X509Certificate(text));
}

function mismatch(chain: readonly X509Certificate[], key: KeyObject): string | undefined {
  const place = chain.findIndex((certificate) => certificate.checkPrivateKey(key));
  if (place === 0) return undefined;
  if (place > 0) {
    return `does not belong to the first certificate of the file, but to number ${place + 1}: put that one first`;
  }
  const kinds = [key, chain[0]?.publicKey].map((half) => half?.asymmetricKeyType?.toUpperCase());
  const [own, other] = kinds;
  return own === other
    ? "does not belong to the certificate"
    : `does not belong to the certificate: the key is ${own}, and that of the certificate ${other}`;
}

function validity({ validFromDate, validToDate }: X509Certificate, index: number, now: Date): string[] {
  const which = index === 0 ? "" : `certificate ${index + 1} of the file `;
  if (validToDate < now) return [`${which}has expired on ${validToDate.toISOString()}`];
  return validFromDate > now ? [`${which}is not valid before ${validFromDate.toISOString()}`] : [];
}

function disorder(chain: readonly X509Certificate[]): string[] {
  const at = chain.findIndex((certificate, index) => {
    const next = chain[index + 1];
    return next !== undefined && !(certificate.checkIssued(next) && certificate.verify(next.publicKey));
  });
  if (at === -1) return [];
  const order = "each certificate is to be followed by the one that issued it";
  return [`certificate ${at + 1} of the file is not issued by certificate ${at + 2}: ${order}`];
}
