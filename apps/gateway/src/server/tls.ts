import { X509Certificate } from "node:crypto";
import { createSecureContext, type SecureContextOptions } from "node:tls";
import { type Fault, InvalidOptionsError } from "@registry-gate/auth";
import { FileReadError, readSettled, type SettledFile } from "@registry-gate/watched-file";
import type { TlsConfiguration } from "../config/configuration.ts";
import { oneLine } from "../plugins.ts";

/** A certificate with its key, read and found to fit. */
export interface TlsIdentity {
  readonly options: SecureContextOptions;
  /** The certificate and the key as they were read, for whoever watches them. */
  readonly files: readonly [certificate: SettledFile, key: SettledFile];
  /** Of the first certificate in the file. */
  readonly validTo: Date;
}

/** @throws {InvalidOptionsError} with paths below `listen.tls`. */
export async function loadTls(configuration: TlsConfiguration): Promise<TlsIdentity> {
  const faults: Fault[] = [];
  const read = async (key: "certificate" | "key"): Promise<SettledFile | undefined> => {
    try {
      return await readSettled(configuration[key]);
    } catch (error) {
      if (!(error instanceof FileReadError)) throw error;
      faults.push({ path: ["listen", "tls", key], message: error.message });
      return undefined;
    }
  };
  const [certificate, key] = [await read("certificate"), await read("key")];
  if (certificate === undefined || key === undefined) throw new InvalidOptionsError(faults);
  return identityOf(configuration, [certificate, key]);
}

/** @throws {InvalidOptionsError} where the files are not a certificate and its key. */
export function identityOf(
  { minVersion = "TLSv1.2" }: TlsConfiguration,
  files: readonly [certificate: SettledFile, key: SettledFile],
): TlsIdentity {
  const [certificate, key] = files;
  const leaf = attempt("certificate", "holds no usable certificate", () => new X509Certificate(certificate.content));
  attempt("certificate", "holds no usable certificate", () => createSecureContext({ cert: certificate.content }));
  attempt("key", "holds no usable private key", () => createSecureContext({ key: key.content }));
  const options = { cert: certificate.content, key: key.content, minVersion };
  attempt("key", "does not belong to the certificate", () => createSecureContext(options));
  return { options, files, validTo: leaf.validToDate };
}

function attempt<T>(key: "certificate" | "key", message: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw new InvalidOptionsError([{ path: ["listen", "tls", key], message: `${message} (${oneLine(error)})` }]);
  }
}
