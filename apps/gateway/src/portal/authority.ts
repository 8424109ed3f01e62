import { X509Certificate } from "node:crypto";

const certificates = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/**
 * The authority that clients have to be given, as far as a certificate file tells: a certificate in it that nobody else has signed.
 * Without one the authority is one that all know, or has to be named.
 */
export function authorityIn(file: Buffer): string | undefined {
  return file.toString("latin1").match(certificates)?.find(isOwn);
}

function isOwn(pem: string): boolean {
  try {
    const certificate = new X509Certificate(pem);
    return certificate.checkIssued(certificate);
  } catch {
    return false;
  }
}
