import { X509Certificate } from "node:crypto";
import { createSecureContext, type SecureContextOptions } from "node:tls";
import { type Fault, InvalidOptionsError } from "@registry-gate/auth";
import { inspectKeyPair, type KeyPairFindings } from "@registry-gate/auth-kit";
import { FileReadError, readSettled, type SettledFile } from "@registry-gate/watched-file";
import type { ListenConfiguration } from "../config/sections/listen.ts";
import type { ClientAuth, TlsConfiguration } from "../config/sections/listen-tls.ts";
import { oneLine } from "../one-line.ts";
import { protocolOptions } from "./tls-protocol.ts";

/** A certificate with its matching key, and the certificate authorities of clients. */
export interface TlsIdentity {
  readonly options: SecureContextOptions;
  readonly clientAuth: ClientAuth;
  /** The files as they were read, to watch for changes since. */
  readonly files: TlsFiles;
  /** Of the first certificate in the file. */
  readonly validTo: Date;
  /** Faults that keep some clients from connecting, or soon will. */
  readonly warnings: readonly Fault[];
}

export type TlsFiles = readonly [certificate: SettledFile, key: SettledFile, clientCa?: SettledFile];

type TlsKey = "certificate" | "key" | "clientCa" | "clientAuth" | "ciphers";
type TlsFileKey = "certificate" | "key" | "clientCa";

/**
 * @param files Where they were read already.
 * @throws {InvalidOptionsError} with paths below `listen.tls`.
 */
export async function loadTls(configuration: TlsConfiguration, files?: TlsFiles): Promise<TlsIdentity> {
  if (files !== undefined) return identityOf(configuration, files);
  const faults: Fault[] = [];
  const read = async (key: TlsFileKey, file: string | undefined): Promise<SettledFile | undefined> => {
    try {
      return file === undefined ? undefined : await readSettled(file);
    } catch (error) {
      if (!(error instanceof FileReadError)) throw error;
      faults.push({ path: ["listen", "tls", key], message: error.message });
      return undefined;
    }
  };
  const certificate = await read("certificate", configuration.certificate);
  const key = await read("key", configuration.key);
  const clientCa = await read("clientCa", configuration.clientCa);
  if (certificate === undefined || key === undefined || faults.length > 0) throw new InvalidOptionsError(faults);
  return identityOf(configuration, clientCa === undefined ? [certificate, key] : [certificate, key, clientCa]);
}

/**
 * @throws {InvalidOptionsError} where the files are not a certificate and its key, where the authorities hold none or are
 * missing, and where OpenSSL knows no cipher of the list.
 */
export function identityOf(configuration: TlsConfiguration, files: TlsFiles): TlsIdentity {
  const [certificate, key, clientCa] = files;
  const { clientAuth = clientCa === undefined ? "none" : "optional" } = configuration;
  const faults: Fault[] = [];
  const fault = (part: TlsKey, message: string): void => void faults.push({ path: ["listen", "tls", part], message });
  const attempt = <T>(part: TlsKey, message: string, action: () => T): T | undefined => {
    try {
      return action();
    } catch (error) {
      fault(part, `${message} (${oneLine(error)})`);
      return undefined;
    }
  };
  const leaf = attempt("certificate", "holds no usable certificate", () => {
    createSecureContext({ cert: certificate.content });
    return new X509Certificate(certificate.content);
  });
  if (encrypted.test(key.content.toString("latin1"))) {
    fault("key", "is encrypted; use a key without a passphrase");
  } else {
    attempt("key", "holds no usable private key", () => createSecureContext({ key: key.content }));
  }
  if (clientCa !== undefined) {
    attempt("clientCa", "holds no usable certificate", () => new X509Certificate(clientCa.content));
  } else if (clientAuth !== "none") fault("clientAuth", `is ${clientAuth}, but listen.tls.clientCa is missing`);
  const protocol = protocolOptions(configuration);
  if (!isUsable(protocol)) fault("ciphers", "contains no cipher that OpenSSL knows");
  const options = { cert: certificate.content, key: key.content, ...protocol };
  const inspect = (): KeyPairFindings => inspectKeyPair(certificate.content, key.content);
  const pair = faults.length > 0 ? undefined : attempt("key", "holds no usable private key", inspect);
  if (pair?.fault !== undefined) fault(pair.fault.file, pair.fault.message);
  if (faults.length === 0) attempt("key", "does not belong to the certificate", () => createSecureContext(options));
  if (leaf === undefined || pair === undefined || faults.length > 0) throw new InvalidOptionsError(faults);
  const asking = clientCa !== undefined && clientAuth !== "none";
  return {
    files,
    validTo: leaf.validToDate,
    warnings: pair.warnings.map((message) => ({ path: ["listen", "tls", "certificate"], message })),
    clientAuth,
    options: asking ? { ...options, ca: clientCa.content } : options,
  };
}

/** Why clients are not asked for a certificate, for backends that need one; `undefined` where they are asked. */
export function whyNoClientCertificates(listen: ListenConfiguration, tls: TlsIdentity | undefined): string | undefined {
  if ((tls?.clientAuth ?? "none") !== "none") return undefined;
  return listen.tls?.clientCa === undefined ? "without listen.tls.clientCa" : "with listen.tls.clientAuth: none";
}

function isUsable(options: SecureContextOptions): boolean {
  try {
    createSecureContext(options);
    return true;
  } catch {
    return false;
  }
}

/** A private key under a passphrase: in PKCS #8 (RFC 5958), or as OpenSSL writes the older kinds (RFC 1421). */
const encrypted = /^-----BEGIN ENCRYPTED PRIVATE KEY-----|^Proc-Type: 4,ENCRYPTED/m;
