import { join } from "node:path";
import { withBlobFiles } from "./blob-files.ts";
import { type Contender, closeAll, startAll } from "./contender.ts";
import { blobPath, startFixedRegistry, startSink } from "./fixed-registry.ts";
import { startBareNginx, startGate, startRecipe } from "./proxies.ts";
import type { Findings } from "./report.ts";
import { interleave, median, medianRatio } from "./rounds.ts";
import { mebibyte, type Scale } from "./scale.ts";
import { download, type Transfer, upload } from "./transfer.ts";

/** One large blob, down from a registry that costs next to nothing. */
export function downloads(scale: Scale, secure: boolean): Promise<Findings> {
  return withBlobFiles({ app: scale.blob }, async (directory) => {
    const registry = await startFixedRegistry(directory);
    try {
      const measure = (contender: Contender): Promise<Transfer> => download(contender, blobPath("app"), scale.blob);
      return await compareTransfers(`GET of ${nameOf(scale, secure)}`, registry.url, scale, secure, measure, 0.55);
    } finally {
      await registry.close();
    }
  });
}

/** One large blob, up to a registry that drops it. */
export function uploads(scale: Scale, secure: boolean): Promise<Findings> {
  return withBlobFiles({ blob: scale.blob }, async (directory) => {
    const sink = await startSink();
    const body = { path: "/v2/app/blobs/uploads/1", file: join(directory, "blob"), bytes: scale.blob };
    try {
      const measure = (contender: Contender): Promise<Transfer> => upload(contender, { ...body, method: "PATCH" });
      return await compareTransfers(`PATCH of ${nameOf(scale, secure)} in chunks`, sink.url, scale, secure, measure, 1);
    } finally {
      await sink.close();
    }
  });
}

function nameOf({ blob }: Scale, secure: boolean): string {
  return `${blob / mebibyte} MiB, ${secure ? "TLS" : "plain HTTP"}`;
}

async function compareTransfers(
  title: string,
  registry: string,
  { rounds, certificate }: Scale,
  secure: boolean,
  measure: (contender: Contender) => Promise<Transfer>,
  floor: number,
): Promise<Findings> {
  const settings = { registry, tls: secure ? certificate : undefined };
  const contenders = await startAll([
    () => startGate(settings),
    () => startRecipe(settings, "apr1"),
    () => startBareNginx(settings),
  ]);
  try {
    await interleave(contenders, 1, measure);
    return transferFindings(title, contenders, await interleave(contenders, rounds, measure), floor);
  } finally {
    await closeAll(contenders);
  }
}

/** @param contenders The gate first, and then the recipe. */
export function transferFindings(
  title: string,
  contenders: readonly Contender[],
  transfers: readonly (readonly Transfer[])[],
  floor: number,
): Findings {
  const rates = (index: number): number[] => (transfers[index] ?? []).map(({ rate }) => rate);
  const rows = contenders.map(({ name }, index) => {
    const its = transfers[index] ?? [];
    return [
      name,
      median(rates(index)).toFixed(0),
      medianRatio(rates(0), rates(index)).toFixed(2),
      median(its.map(({ processor }) => processor)).toFixed(2),
      Math.max(...its.map(({ peak }) => peak)).toFixed(0),
    ];
  });
  return {
    title,
    table: [["", "MB/s", "gate ÷ it", "CPU s/GiB", "peak MiB"], ...rows],
    limits: [{ name: "rate ÷ recipe, apr1", value: medianRatio(rates(0), rates(1)), bound: { atLeast: floor } }],
  };
}
