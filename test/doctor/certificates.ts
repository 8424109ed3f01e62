import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { run } from "../support/run.ts";

/** Files of a server's certificate and of the authority that signed it. */
export interface ServerFiles {
  readonly certificate: string;
  readonly key: string;
  readonly authority: string;
}

export interface CertificateSettings {
  /** Subject alternative names. Default: those of this machine. */
  readonly names?: string;
  /** `YYYYMMDDHHMMSSZ` */
  readonly from?: string;
  readonly to?: string;
  /** Whether it says where its issuer's certificate is to be had, as those of public authorities do. */
  readonly namesIssuer?: boolean;
}

/** Makes an authority, and a certificate by it that has what is asked for, with the real openssl. */
export async function makeServerCertificate(
  directory: string,
  name: string,
  { names = "DNS:localhost,IP:127.0.0.1", from, to, namesIssuer = false }: CertificateSettings = {},
): Promise<ServerFiles> {
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
  const file = (suffix: string): string => join(directory, `${name}${suffix}`);
  await run("openssl", [
    ...["req", "-x509", ...key, "-days", "30", "-subj", `/CN=${name} authority`],
    ...["-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign"],
    ...["-keyout", file("-authority.key"), "-out", file("-authority.crt")],
  ]);
  await run("openssl", ["req", "-new", ...key, "-subj", `/CN=${name}`, "-keyout", file(".key"), "-out", file(".csr")]);
  const extensions = [
    `subjectAltName=${names}`,
    "basicConstraints=critical,CA:FALSE",
    ...(namesIssuer ? ["authorityInfoAccess=caIssuers;URI:http://pki.example.com/ca.crt"] : []),
  ];
  await writeFile(file(".index"), "");
  await writeFile(
    file(".cnf"),
    [
      ...[
        "[ca]",
        "default_ca = own",
        "[own]",
        `database = ${file(".index")}`,
        `serial = ${file(".serial")}`,
        "policy = any",
        "[any]",
      ],
      ...["commonName = supplied", "[extensions]", ...extensions, ""],
    ].join("\n"),
  );
  await run("openssl", [
    ...["ca", "-batch", "-notext", "-rand_serial", "-md", "sha256", "-outdir", directory, "-config", file(".cnf")],
    ...["-cert", file("-authority.crt"), "-keyfile", file("-authority.key"), "-extensions", "extensions"],
    ...(from === undefined ? [] : ["-startdate", from]),
    ...(to === undefined ? ["-days", "30"] : ["-enddate", to]),
    ...["-in", file(".csr"), "-out", file(".crt")],
  ]);
  return { certificate: file(".crt"), key: file(".key"), authority: file("-authority.crt") };
}
