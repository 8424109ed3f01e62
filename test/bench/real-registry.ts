import { join } from "node:path";
import { startDockerRegistry } from "../support/docker-registry.ts";
import { pushImage, startUpload } from "../support/registry-content.ts";
import { withBlobFiles } from "./blob-files.ts";
import { transferFindings } from "./blobs.ts";
import { type Contender, closeAll, startAll } from "./contender.ts";
import { giveOwnCore } from "./cores.ts";
import { atLeast, type Findings } from "./findings.ts";
import { compareLoads, rateRatios } from "./loads.ts";
import { peerLack, startDistribution, startOauth2Proxy } from "./peers.ts";
import { startBareNginx, startGate, startRecipe } from "./proxies.ts";
import { manifestPath } from "./reads.ts";
import { interleave } from "./rounds.ts";
import { mebibyte, type Scale } from "./scale.ts";
import { type Transfer, upload } from "./transfer.ts";

/** At the same time: a registry of many cores has enough to do. */
const connections = 64;

/**
 * `GET`s of a manifest in front of the distribution's registry of today, or of Debian's where Go is missing, beside
 * what else can be asked for a password there.
 */
export async function realReads(scale: Scale): Promise<Findings> {
  const { leavesOut } = scale;
  const lacks = { proxy: await peerLack("oauth2-proxy", scale), registry: await peerLack("distribution", scale) };
  const registry = await (lacks.registry === undefined ? startDistribution() : startDockerRegistry());
  const settings = { registry: registry.url };
  try {
    await pushImage({ url: registry.url, headers: {} }, "team/app", "latest", "a layer");
    const contenders = await startAll([
      () => startGate(settings),
      () => startRecipe(settings, "apr1", 28),
      ...(leavesOut ? [] : [() => startRecipe(settings, "apr1", 8), () => startRecipe(settings, "bcrypt 5")]),
      ...(leavesOut || lacks.proxy !== undefined ? [] : [() => startOauth2Proxy(settings)]),
      ...(leavesOut || lacks.registry !== undefined ? [] : [() => startDistribution(true).then(withImage)]),
      () => startBareNginx(settings),
    ]);
    try {
      return await compareLoads(
        {
          id: "registry.reads",
          title: "GET of a manifest of a real registry, plain HTTP",
          contenders,
          request: { path: manifestPath },
          connections,
          limits: (loads) => [atLeast(1, "rate ÷ recipe, apr1, 28 characters", rateRatios(loads[0], loads[1]))],
          notes: Object.values(lacks).filter((lack) => lack !== undefined),
        },
        scale,
      );
    } finally {
      await closeAll(contenders);
    }
  } finally {
    await registry.close();
  }
}

/** Its content is its own. */
async function withImage(registry: Contender): Promise<Contender> {
  try {
    await pushImage(registry, "team/app", "latest", "a layer");
    await giveOwnCore(registry.pid);
    return registry;
  } catch (error) {
    await registry.close();
    throw error;
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
