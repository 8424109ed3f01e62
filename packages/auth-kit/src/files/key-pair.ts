import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";

/** What a file with a certificate and its chain, and the file with its key, come to. Each text is one line. */
export interface KeyPairFindings {
  /** Why the two cannot be used together. */
  readonly fault: KeyPairFault | undefined;
  /** What works here, but perhaps not with every peer, or not for long: about the file with the certificates. */
  readonly warnings: readonly string[];
}

/** What is wrong with a certificate or its key. */
export interface KeyPairFault {
  /** The file to correct. */
  readonly file: "certificate" | "key";
  readonly message: string;
}

const CERTIFICATE = /-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----[^-]*-----END (?:X509 |TRUSTED )?CERTIFICATE-----/g;

/**
 * Looks at a certificate and its key, both in PEM. OpenSSL keeps a pair for each kind of key, and finds no fault with an
 * EC certificate beside an RSA key: no handshake would succeed with them.
 *
 * The first certificate must be that of the key, and each one is issued by the next (RFC 5246, section 7.4.2, demands it;
 * RFC 8446, section 4.4.2, recommends it). An issuer in another place is a fault; where it is missing, that is a warning.
 *
 * @throws {Error} of OpenSSL, where one of the two is not what it should be.
 */
export function inspectKeyPair(certificates: Buffer, key: Buffer, now: Date = new Date()): KeyPairFindings {
  const [leaf, ...issuers] = readCertificates(certificates);
  if (leaf === undefined) throw new Error("there is no certificate in PEM");
  const chain = [leaf, ...issuers];
  return {
    fault: mismatch(chain, createPrivateKey(key)) ?? disorder(chain),
    warnings: [...chain.flatMap((certificate, index) => validity(certificate, index, now)), ...gap(chain)],
  };
}

function readCertificates(pem: Buffer): X509Certificate[] {
  return [...pem.toString("latin1").matchAll(CERTIFICATE)].map(([text]) => new X509Certificate(text));
}

function mismatch(chain: readonly X509Certificate[], key: KeyObject): KeyPairFault | undefined {
  const fault = (message: string): KeyPairFault => ({ file: "key", message });
  const place = chain.findIndex((certificate) => certificate.checkPrivateKey(key));
  if (place === 0) return undefined;
  if (place > 0) {
    return fault(
      `does not belong to the first certificate of the file, but to number ${place + 1}: put that one first`,
    );
  }
  const kinds = [key, chain[0]?.publicKey].map((half) => half?.asymmetricKeyType?.toUpperCase());
  const [own, other] = kinds;
  const kindsDiffer = own === other ? "" : `: the key is ${own}, and that of the certificate ${other}`;
  return fault(`does not belong to the certificate${kindsDiffer}`);
}

function validity({ validFromDate, validToDate }: X509Certificate, index: number, now: Date): string[] {
  const which = index === 0 ? "" : `certificate ${index + 1} of the file `;
  if (validToDate < now) return [`${which}has expired on ${validToDate.toISOString()}`];
  return validFromDate > now ? [`${which}is not valid before ${validFromDate.toISOString()}`] : [];
}

const order = "each certificate is to be followed by the one that issued it";

/** Where a certificate is followed by others, and the one that issued it has another place. */
function disorder(chain: readonly X509Certificate[]): KeyPairFault | undefined {
  for (const [index, certificate] of chain.entries()) {
    if (isIssuedByNext(chain, index)) continue;
    const issuer = chain.findIndex((other, place) => place !== index && isIssuedBy(certificate, other));
    if (issuer === -1 || isIssuedBy(certificate, certificate)) continue;
    const places = `number ${index + 1} is issued by number ${issuer + 1}`;
    return { file: "certificate", message: `the certificates are in the wrong order: ${places}; ${order}` };
  }
  return undefined;
}

/** Where a certificate is followed by one that has nothing to do with it. */
function gap(chain: readonly X509Certificate[]): string[] {
  const at = chain.findIndex((_, index) => !isIssuedByNext(chain, index));
  if (at === -1) return [];
  return [`certificate ${at + 1} of the file is not issued by certificate ${at + 2}: ${order}`];
}

/** True of the last one. */
function isIssuedByNext(chain: readonly X509Certificate[], index: number): boolean {
  const [certificate, next] = chain.slice(index, index + 2);
  return certificate === undefined || next === undefined || isIssuedBy(certificate, next);
}

function isIssuedBy(certificate: X509Certificate, issuer: X509Certificate): boolean {
  return certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
}
