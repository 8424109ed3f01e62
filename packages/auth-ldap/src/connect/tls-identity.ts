import { createSecureContext, type SecureContext } from "node:tls";
import { InvalidOptionsError, type Logger } from "@registry-gate/auth";
import { inspectKeyPair, type KeyPairFindings, withoutByteOrderMark } from "@registry-gate/auth-kit";
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
      const text = (content: Buffer | undefined): string | undefined =>
        content === undefined ? undefined : withoutByteOrderMark(content).toString("latin1");
      const pem = new Map(named.map(({ option }, index) => [option, text(contents[index])]));
      const ca = pem.get("caCert");
      const cert = pem.get("clientCert");
      const key = pem.get("clientKey");
      requireCertificate("caCert", ca);
      requireCertificate("clientCert", cert);
      const pair = cert === undefined || key === undefined ? undefined : pairOf(cert, key);
      for (const message of pair?.warnings ?? []) log.warn({ file: files.clientCert }, message);
      try {
        return createSecureContext({
          minVersion: "TLSv1.2",
          ...(ca !== undefined && { ca }),
          ...(cert !== undefined && { cert }),
          ...(key !== undefined && { key }),
        });
      } catch {
        const option = ca === undefined ? "clientCert" : "caCert";
        throw new InvalidOptionsError([{ path: [option], message: "holds no usable certificate" }]);
      }
    },
  });
}

/** @throws {InvalidOptionsError} where the two do not belong together. */
function pairOf(cert: string, key: string): KeyPairFindings {
  const fault = (option: string, message: string): InvalidOptionsError =>
    new InvalidOptionsError([{ path: [option], message }]);
  try {
    createSecureContext({ cert });
  } catch {
    throw fault("clientCert", "holds no usable certificate");
  }
  let findings: KeyPairFindings;
  try {
    findings = inspectKeyPair(Buffer.from(cert, "latin1"), Buffer.from(key, "latin1"));
  } catch {
    throw fault("clientKey", "holds no usable private key");
  }
  if (findings.fault !== undefined) {
    throw fault(findings.fault.file === "key" ? "clientKey" : "clientCert", findings.fault.message);
  }
  return findings;
}

function requireCertificate(option: string, pem: string | undefined): void {
  if (pem === undefined || pem.includes("-----BEGIN CERTIFICATE-----")) return;
  throw new InvalidOptionsError([{ path: [option], message: "holds no certificate" }]);
}
