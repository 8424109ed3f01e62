import { createSecureContext, type SecureContext } from "node:tls";
import { InvalidOptionsError, type Logger } from "@registry-gate/auth";
import { type FollowedFiles, followFiles } from "./followed-files.ts";

export interface TlsFiles {
  /** Absolute paths of PEM files. */
  readonly caCert: string | undefined;
  readonly clientCert: string | undefined;
  readonly clientKey: string | undefined;
}

/**
 * Whom to trust and who we are, from files that are followed. TLS 1.2 at least.
 *
 * @throws {InvalidOptionsError} when a file cannot be read or holds something else.
 */
export function openTlsIdentity(files: TlsFiles, log: Logger): Promise<FollowedFiles<SecureContext>> {
  const named = (["caCert", "clientCert", "clientKey"] as const).flatMap((option) => {
    const path = files[option];
    return path === undefined ? [] : [{ option, path }];
  });
  return followFiles({
    files: named,
    log,
    parse(contents) {
      const pem = new Map(named.map(({ option }, index) => [option, contents[index]?.toString("latin1")]));
      const ca = pem.get("caCert");
      const cert = pem.get("clientCert");
      const key = pem.get("clientKey");
      requireCertificate("caCert", ca);
      requireCertificate("clientCert", cert);
      try {
        return createSecureContext({
          minVersion: "TLSv1.2",
          ...(ca !== undefined && { ca }),
          ...(cert !== undefined && { cert }),
          ...(key !== undefined && { key }),
        });
      } catch {
        const option = key === undefined ? "caCert" : "clientKey";
        const message = key === undefined ? "holds no usable certificate" : "holds no key that fits clientCert";
        throw new InvalidOptionsError([{ path: [option], message }]);
      }
    },
  });
}

function requireCertificate(option: string, pem: string | undefined): void {
  if (pem === undefined || pem.includes("-----BEGIN CERTIFICATE-----")) return;
  throw new InvalidOptionsError([{ path: [option], message: "holds no certificate" }]);
}
