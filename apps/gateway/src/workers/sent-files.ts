import type { SettledFile } from "@registry-gate/watched-file";
import type { ReadContents } from "../gate/gate-loader.ts";
import type { LoadedGate } from "../gate/load-gate.ts";
import type { TlsFiles } from "../tls/tls-identity.ts";
import type { Accepted, SentFile } from "./topics.ts";

/** Packs what a gate was built from for the workers: a worker that starts later must not read a file that is half edited. */
export function acceptedOf({ loaded, gate }: LoadedGate, workers: number): Accepted {
  return { source: packed(loaded.source), tls: packedTls(gate.tls?.files), workers };
}

export function packedTls(files: TlsFiles | undefined): readonly SentFile[] {
  return (files ?? []).flatMap((file) => (file === undefined ? [] : [packed(file)]));
}

/** Unpacks it in a worker. */
export function contentsOf({ source, tls, workers }: Accepted): ReadContents {
  const tlsFiles = unpackedTls(tls);
  return { source: unpacked(source), workers, ...(tlsFiles !== undefined && { tlsFiles }) };
}

/** @returns `undefined` where there is no certificate. */
export function unpackedTls([certificate, key, clientCa]: readonly SentFile[]): TlsFiles | undefined {
  if (certificate === undefined || key === undefined) return undefined;
  const pair = [unpacked(certificate), unpacked(key)] as const;
  return clientCa === undefined ? pair : [...pair, unpacked(clientCa)];
}

function packed({ path, content }: SettledFile): SentFile {
  return { path, content: content.toString("base64") };
}

function unpacked({ path, content }: SentFile): SettledFile {
  return { path, content: Buffer.from(content, "base64") };
}
