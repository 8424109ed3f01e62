import { join } from "node:path";
import { startDockerRegistry } from "../support/docker-registry.ts";
import { pushImage, startUpload } from "../support/registry-content.ts";
import { withBlobFiles } from "./blob-files.ts";
import { transferFindings } from "./blobs.ts";
import { type Contender, closeAll, startAll } from "./contender.ts";
import type { Findings } from "./findings.ts";
import { startBareNginx, startGate, startRecipe } from "./proxies.ts";
import { compareReads } from "./reads.ts";
import { interleave } from "./rounds.ts";
import { mebibyte, type Scale } from "./scale.ts";
import { type Transfer, upload } from "./transfer.ts";

/** `GET`s of a manifest in front of docker-registry, which then does most of the work. */
export async function realReads(scale: Scale): Promise<Findings> {
  const registry = await startDockerRegistry();
  try {
    await pushImage({ url: registry.url, headers: {} }, "team/app", "latest", "a layer");
    const title = "GET of a manifest of docker-registry, plain HTTP";
    return await compareReads("registry.reads", title, { registry: registry.url }, scale);
  } finally {
    await registry.close();
  }
}

/** One large blob, up to docker-registry, which hashes it and writes it to the disk. */
export async function realUploads(scale: Scale): Promise<Findings> {
  const { blob } = scale;
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
        const transfers = await interleave(contenders, { ...scale, rounds: Math.min(scale.rounds, 3) }, measure);
        const title = `PATCH of ${blob / mebibyte} MiB in chunks to docker-registry, plain HTTP`;
        return transferFindings("registry.uploads", title, contenders, transfers, 1);
      } finally {
        await closeAll(contenders);
      }
    } finally {
      await registry.close();
    }
  });
}
