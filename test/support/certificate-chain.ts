import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { run } from "./run.ts";

/** What is written into a file of certificates, by the name of each. */
export type ChainFiles = Readonly<Record<ChainLink, string>>;
export type ChainLink = (typeof links)[number];

const links = ["server", "intermediate", "root"] as const;

/**
 * Makes a root, an intermediate authority that it issued, and a certificate of that for `localhost`, with the real
 * openssl: `root.crt`, `intermediate.crt`, `server.crt` and `server.key` in `directory`.
 */
export async function makeCertificateChain(directory: string): Promise<ChainFiles> {
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30"];
  const authority = ["-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign"];
  const make = (name: string, issuer: string | undefined, more: readonly string[]): Promise<string> =>
    run(
      "openssl",
      [
        ...["req", "-x509", ...key, "-subj", `/CN=${name}`, "-keyout", `${name}.key`, "-out", `${name}.crt`, ...more],
        ...(issuer === undefined ? [] : ["-CA", `${issuer}.crt`, "-CAkey", `${issuer}.key`]),
      ],
      { cwd: directory },
    );
  await make("root", undefined, authority);
  await make("intermediate", "root", authority);
  await make("server", "intermediate", ["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]);
  const texts = await Promise.all(links.map((link) => readFile(join(directory, `${link}.crt`), "utf8")));
  const [server = "", intermediate = "", root = ""] = texts;
  return { server, intermediate, root };
}
