import { join } from "node:path";
import { withBlobFiles } from "./blob-files.ts";
import { type Contender, closeAll, startAll } from "./contender.ts";
import { atLeast, type Column, type Findings } from "./findings.ts";
import { blobPath, startFixedRegistry, startSink } from "./fixed-registry.ts";
import { startBareNginx, startGate, startRecipe } from "./proxies.ts";
import { interleave, ratios } from "./rounds.ts";
import { mebibyte, type Scale } from "./scale.ts";
import { download, type Transfer, upload } from "./transfer.ts";

/** One large blob, down from a registry that costs next to nothing. */
export function downloads(scale: Scale, secure: boolean): Promise<Findings> {
  return withBlobFiles({ app: scale.blob }, async (directory) => {
    const registry = await startFixedRegistry(directory);
    try {
      const measure = (contender: Contender): Promise<Transfer> => download(contender, blobPath("app"), scale.blob);
      return await compareTransfers(
        "downloads",
        `GET of ${nameOf(scale, secure)}`,
        registry.url,
        scale,
        secure,
        measure,
        secure ? 1.7 : 1.5,
      );
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
      const title = `PATCH of ${nameOf(scale, secure)} in chunks`;
      return await compareTransfers("uploads", title, sink.url, scale, secure, measure, secure ? 1.7 : 2);
    } finally {
      await sink.close();
    }
  });
}

function nameOf({ blob }: Scale, secure: boolean): string {
  return `${blob / mebibyte} MiB, ${secure ? "TLS" : "plain HTTP"}`;
}

async function compareTransfers(
  part: string,
  title: string,
  registry: string,
  scale: Scale,
  secure: boolean,
  measure: (contender: Contender) => Promise<Transfer>,
  floor: number,
): Promise<Findings> {
  const settings = { registry, tls: secure ? scale.certificate : undefined };
  const contenders = await startAll([
    () => startGate(settings),
    () => startRecipe(settings, "apr1"),
    () => startBareNginx(settings),
  ]);
  try {
    await interleave(contenders, { ...scale, rounds: 1 }, measure);
    const transfers = await interleave(contenders, scale, measure);
    return transferFindings(`${part}.${secure ? "tls" : "plain"}`, title, contenders, transfers, floor);
  } finally {
    await closeAll(contenders);
  }
}

const columns: readonly Column[] = [
  { id: "rate", label: "MB/s", digits: 0, better: "more" },
  { id: "ratio", label: "first ÷ it", digits: 2 },
  { id: "processor", label: "CPU s/GiB", digits: 2, better: "less" },
  { id: "memory", label: "peak MiB", digits: 0, better: "less" },
];

/** @param contenders The gate first, and then the recipe. */
export function transferFindings(
  id: string,
  title: string,
  contenders: readonly Contender[],
  transfers: readonly (readonly Transfer[])[],
  floor: number,
): Findings {
  const rates = (index: number): number[] => (transfers[index] ?? []).map(({ rate }) => rate);
  const rows = contenders.map(({ name, own }, index) => {
    const its = transfers[index] ?? [];
    return {
      name,
      ...(own === true && { own }),
      samples: {
        rate: rates(index),
        ratio: ratios(rates(0), rates(index)),
        processor: its.map(({ processor }) => processor),
        memory: its.map(({ peak }) => peak),
      },
    };
  });
  return { id, title, columns, rows, limits: [atLeast(floor, "rate ÷ recipe", ratios(rates(0), rates(1)))] };
}
