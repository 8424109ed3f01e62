import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { generate } from "selfsigned";

/** How long the certificates hold, in milliseconds: a demo is not kept for longer. */
const lifetime = 30 * 24 * 3_600_000;

/** Makes a certificate authority and with it a certificate for this machine, as `trust/ca.crt`, `domain.crt` and `domain.key`. */
export async function writeCertificates(directory: string): Promise<void> {
  const common = { keyType: "ec", algorithm: "sha256", notAfterDate: new Date(Date.now() + lifetime) } as const;
  const authority = await generate([{ name: "commonName", value: "registry-gate demo CA" }], {
    ...common,
    extensions: [
      { name: "basicConstraints", cA: true, critical: true },
      { name: "keyUsage", keyCertSign: true, cRLSign: true, critical: true },
    ],
  });
  const server = await generate([{ name: "commonName", value: "localhost" }], {
    ...common,
    ca: { key: authority.private, cert: authority.cert },
    extensions: [
      { name: "basicConstraints", cA: false, critical: true },
      { name: "keyUsage", digitalSignature: true, critical: true },
      { name: "extKeyUsage", serverAuth: true },
      {
        name: "subjectAltName",
        altNames: [
          { type: 2, value: "localhost" },
          { type: 7, ip: "127.0.0.1" },
        ],
      },
    ],
  });
  // Apart from the key: skopeo takes every key in its directory of certificates for one of a client.
  await mkdir(join(directory, "trust"));
  await writeFile(join(directory, "trust", "ca.crt"), authority.cert);
  await writeFile(join(directory, "domain.crt"), server.cert);
  await writeFile(join(directory, "domain.key"), server.private, { mode: 0o600 });
}
