import { join } from "node:path";
import { startDockerRegistry } from "../support/docker-registry.ts";
import { pushImage, startUpload } from "../support/registry-content.ts";
import { withBlobFiles } from "./blob-files.ts";
import { transferFindings } from "./blobs.ts";
import { type Contender, closeAll, startAll } from "./contender.ts";
import { startBareNginx, startGate, startRecipe } from "./proxies.ts";
import { compareReads } from "./reads.ts";
import type { Findings } from "./report.ts";
import { interleave } from "./rounds.ts";
import { mebibyte, type Scale } from "./scale.ts";
import { type Transfer, upload } from "./transfer.ts";

/** `GET`s of a manifest in front of docker-registry, which then does most of the work. */
export async function realReads(scale: Scale): Promise<Findings> {
  const registry = await startDockerRegistry();
  try {
    await pushImage({ url: registry.url, headers: {} }, "team/app", "latest", "a layer");
    return await compareReads("GET of a manifest of docker-registry, plain HTTP", { registry: registry.url }, scale);
  } finally {
    await registry.close();
  }
}

/** One large blob, up to docker-registry, which hashes it and writes it to the disk. */
export async function realUploads({ rounds, blob }: Scale): Promise<Findings> {
  return withBlobFiles({ blob }, async (directory) => {
    const registry = await startDockerRegistry();
    const settings = { registry: registry.url };
    try {
      const contenders = await startAll([
        () => startGate(settings),
        () => startRecipe(settings, "apr1"),
        () => startBareNginx(settings),
      ]);
      const measure = async (contender: Contender): Promise<Transfer> => {
        const location = await startUpload(contender, "team/app");
        const path = location.pathname + location.search;
        return upload(contender, { path, file: join(directory, "blob"), bytes: blob, method: "PATCH" });
      };
      try {
        const transfers = await interleave(contenders, Math.min(rounds, 3), measure);
        const title = `PATCH of ${blob / mebibyte} MiB in chunks to docker-registry, plain HTTP`;
        return transferFindings(title, contenders, transfers, 1);
      } finally {
        await closeAll(contenders);
      }
    } finally {
      await registry.close();
    }
  });
}
