import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { XMLParser } from "fast-xml-parser";
import { run } from "./run.ts";

/** What a server offers, as the real sslscan finds it; every value is a text. */
export interface TlsScan {
  readonly protocol: readonly { readonly type: string; readonly version: string; readonly enabled: string }[];
  readonly renegotiation: readonly { readonly supported: string; readonly secure: string }[];
  readonly compression?: readonly { readonly supported: string }[];
  readonly heartbleed: readonly { readonly vulnerable: string }[];
  readonly cipher: readonly {
    readonly status: string;
    readonly sslversion: string;
    readonly bits: string;
    readonly cipher: string;
    readonly strength: string;
    /** Of the key exchange. */
    readonly curve?: string;
    readonly ecdhebits?: string;
    readonly dhebits?: string;
  }[];
  readonly group: readonly { readonly sslversion: string; readonly bits: string; readonly name: string }[];
}

/** @param server `host:port` */
export async function scanTls(server: string): Promise<TlsScan> {
  const directory = await mkdtemp(join(tmpdir(), "registry-gate-sslscan-"));
  try {
    const file = join(directory, "scan.xml");
    await run("sslscan", [`--xml=${file}`, "--no-colour", server]);
    const parser = new XMLParser({
      ignoreAttributes: false,
      attributeNamePrefix: "",
      parseAttributeValue: false,
      isArray: (name, _path, _leaf, isAttribute) => !isAttribute && name !== "document" && name !== "ssltest",
    });
    const { document }: { document: { ssltest: TlsScan } } = parser.parse(await readFile(file, "utf8"));
    return document.ssltest;
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
