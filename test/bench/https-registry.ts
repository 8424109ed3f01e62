import { withBlobFiles } from "./blob-files.ts";
import { transferFindings } from "./blobs.ts";
import { type Contender, closeAll, startAll } from "./contender.ts";
import { atLeast, type Findings } from "./findings.ts";
import { blobPath, type FixedRegistry, startFixedRegistry } from "./fixed-registry.ts";
import { compareLoads, rateRatios } from "./loads.ts";
import { startBareNginx, startGate, startRecipe } from "./proxies.ts";
import { manifestPath } from "./reads.ts";
import { interleave } from "./rounds.ts";
import { mebibyte, type Scale } from "./scale.ts";
import { download, type Transfer } from "./transfer.ts";

/** Small reads in front of a registry with TLS, against the same by plain HTTP. */
export function secureRegistryReads(scale: Scale): Promise<Findings> {
  return withSecureRegistry("/nowhere", scale, async (registry) => {
    const plain = await scale.shared.gate();
    const contenders = await startAll([
      () => startGate({ registry: registry.url, ca: scale.certificate.authority }),
      () => startRecipe({ registry: registry.url }, "apr1"),
      async () => ({ ...plain.gate, name: "gate, registry by plain HTTP" }),
      ...(scale.leavesOut ? [] : [() => startBareNginx({ registry: registry.url })]),
    ]);
    try {
      return await compareLoads(
        {
          id: "https.reads.16",
          title: "GET of a manifest, registry by TLS",
          contenders,
          request: { path: manifestPath },
          connections: 16,
          limits: ([gate, recipe, byPlain]) => [
            atLeast(3, "rate ÷ recipe, apr1", rateRatios(gate, recipe)),
            atLeast(0.8, "rate ÷ gate, registry by plain HTTP", rateRatios(gate, byPlain)),
          ],
        },
        scale,
      );
    } finally {
      await closeAll(contenders);
    }
  });
}

/** One large blob down from a registry with TLS. */
export function secureRegistryDownloads(scale: Scale): Promise<Findings> {
  return withBlobFiles({ app: scale.blob }, (directory) =>
    withSecureRegistry(directory, scale, async (registry) => {
      const contenders = await startAll([
        () => startGate({ registry: registry.url, ca: scale.certificate.authority }),
        () => startRecipe({ registry: registry.url }, "apr1"),
        () => startBareNginx({ registry: registry.url }),
      ]);
      const measure = (contender: Contender): Promise<Transfer> => download(contender, blobPath("app"), scale.blob);
      try {
        await interleave(contenders, { ...scale, rounds: 1 }, measure);
        const transfers = await interleave(contenders, scale, measure);
        const title = `GET of ${scale.blob / mebibyte} MiB, registry by TLS`;
        return transferFindings("https.downloads", title, contenders, transfers, 1.2);
      } finally {
        await closeAll(contenders);
      }
    }),
  );
}

async function withSecureRegistry(
  directory: string,
  { certificate }: Scale,
  use: (registry: FixedRegistry) => Promise<Findings>,
): Promise<Findings> {
  const registry = await startFixedRegistry(directory, certificate);
  try {
    return await use(registry);
  } finally {
    await registry.close();
  }
}
