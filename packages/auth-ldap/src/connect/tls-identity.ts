import { createSecureContext, type SecureContext } from "node:tls";
import type { Logger } from "@registry-gate/auth";
import {
  type FollowedValue,
  followFiles,
  InvalidFileError,
  inspectKeyPair,
  type KeyPairFindings,
  withoutByteOrderMark,
} from "@registry-gate/auth-kit";

export interface TlsFiles {
  /** Absolute paths of PEM files. */
  readonly caCert: string | undefined;
  readonly clientCert: string | undefined;
  readonly clientKey: string | undefined;
}

type TlsOption = keyof TlsFiles;

/** Makes the error for the file of an option. */
type FaultOf = (option: TlsOption, message: string) => InvalidFileError;

/**
 * Trusted certificates and the client certificate, from files that are followed. Requires TLS 1.2.
 *
 * @throws {InvalidOptionsError} when a file cannot be read or holds something else.
 */
export function openTlsIdentity(files: TlsFiles, log: Logger): Promise<FollowedValue<SecureContext>> {
  const named = (["caCert", "clientCert", "clientKey"] as const).flatMap((option) => {
    const path = files[option];
    return path === undefined ? [] : [{ option, path }];
  });
  const fault: FaultOf = (option, message) =>
    new InvalidFileError(
      message,
      named.findIndex((file) => file.option === option),
    );
  return followFiles({
    files: named.map(({ option, path }) => ({ option: [option], path })),
    log,
    parse(contents) {
      const text = (content: Buffer | undefined): string | undefined =>
        content === undefined ? undefined : withoutByteOrderMark(content).toString("latin1");
      const pem = new Map(named.map(({ option }, index) => [option, text(contents[index])]));
      const ca = pem.get("caCert");
      const cert = pem.get("clientCert");
      const key = pem.get("clientKey");
      if (!holdsCertificate(ca)) throw fault("caCert", "contains no certificate");
      if (!holdsCertificate(cert)) throw fault("clientCert", "contains no certificate");
      const pair = cert === undefined || key === undefined ? undefined : pairOf(cert, key, fault);
      for (const message of pair?.warnings ?? []) log.warn({ file: files.clientCert }, message);
      try {
        return createSecureContext({
          minVersion: "TLSv1.2",
          ...(ca !== undefined && { ca }),
          ...(cert !== undefined && { cert }),
          ...(key !== undefined && { key }),
        });
      } catch {
        throw fault(ca === undefined ? "clientCert" : "caCert", "holds no usable certificate");
      }
    },
  });
}

/** @throws {InvalidFileError} where the two do not belong together. */
function pairOf(cert: string, key: string, fault: FaultOf): KeyPairFindings {
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

function holdsCertificate(pem: string | undefined): boolean {
  return pem === undefined || pem.includes("-----BEGIN CERTIFICATE-----");
}
