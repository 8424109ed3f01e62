import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run } from "./run.ts";

/** Files of a certificate for this machine, and of the authority that signed it. */
export interface CertificateFiles {
  readonly certificate: string;
  readonly key: string;
  /** The authority's certificate, for clients. */
  readonly authority: string;
}

/** Files of a certificate for a client. */
export type ClientCertificateFiles = Pick<CertificateFiles, "certificate" | "key">;

const newKeys = {
  ec: ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30"],
  rsa: ["-newkey", "rsa:2048", "-nodes", "-days", "30"],
};
const newKey = newKeys.ec;

/**
 * Makes a certificate authority and a certificate for this machine with the real openssl, as `server.crt`, `server.key`
 * and `authority.crt` in `directory`; by default in a new one. Another call in the same directory replaces them.
 *
 * @param addresses The IP addresses that it bears besides `localhost` and `127.0.0.1`.
 * @param keyType Of the key for this machine.
 */
export async function makeCertificate(
  directory?: string,
  addresses: readonly string[] = [],
  keyType: keyof typeof newKeys = "ec",
): Promise<CertificateFiles> {
  const cwd = directory ?? (await mkdtemp(join(tmpdir(), "registry-gate-certificate-")));
  await run(
    "openssl",
    [
      ...["req", "-x509", ...newKey, "-subj", `/CN=registry-gate test authority ${Date.now()}`],
      ...["-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign"],
      ...["-keyout", "authority.key", "-out", "authority.crt"],
    ],
    { cwd },
  );
  return renewCertificate(cwd, addresses, keyType);
}

/** Makes another certificate and key for this machine, by the authority that {@link makeCertificate} made there. */
export async function renewCertificate(
  directory: string,
  addresses: readonly string[] = [],
  keyType: keyof typeof newKeys = "ec",
): Promise<CertificateFiles> {
  const names = ["DNS:localhost", ...["127.0.0.1", ...addresses].map((address) => `IP:${address}`)].join(",");
  await run(
    "openssl",
    [
      ...["req", "-x509", ...newKeys[keyType], "-subj", "/CN=localhost"],
      ...["-CA", "authority.crt", "-CAkey", "authority.key"],
      ...["-addext", `subjectAltName=${names}`, "-addext", "basicConstraints=critical,CA:FALSE"],
      ...["-keyout", "server.key", "-out", "server.crt"],
    ],
    { cwd: directory },
  );
  return {
    certificate: join(directory, "server.crt"),
    key: join(directory, "server.key"),
    authority: join(directory, "authority.crt"),
  };
}

/**
 * Makes a certificate for a client, as `NAME.crt` and `NAME.key`.
 *
 * @param directory That of an authority made by {@link makeCertificate}.
 */
export async function makeClientCertificate(directory: string, name: string): Promise<ClientCertificateFiles> {
  await run(
    "openssl",
    [
      ...[
        "req",
        "-x509",
        ...newKey,
        "-subj",
        `/O=Example/CN=${name}`,
        "-CA",
        "authority.crt",
        "-CAkey",
        "authority.key",
      ],
      ...["-addext", "basicConstraints=critical,CA:FALSE", "-keyout", `${name}.key`, "-out", `${name}.crt`],
    ],
    { cwd: directory },
  );
  return { certificate: join(directory, `${name}.crt`), key: join(directory, `${name}.key`) };
}
