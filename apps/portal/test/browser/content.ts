import { type EmbeddedRegistry, startEmbeddedRegistry } from "@registry-gate/embedded-registry";
import { type Descriptor, putArtifact, putImage, putIndex } from "../registry/content.ts";

/** Names that do not fit where they are shown. */
export const longRepository =
  "team/base-images/debian-with-everything-that-somebody-once-needed/and-a-very-long-name-for-it/python-3.14";
export const longTag = "2026-11-28-nightly-build-of-the-integration-branch-with-a-very-long-name-and-number-0123456789";

/** A registry with what registries hold: images, indexes, charts, signatures, many tags and many repositories. */
export async function startFullRegistry(): Promise<EmbeddedRegistry> {
  const registry = await startEmbeddedRegistry();
  const to = { url: registry.url, repository: "team/app" };
  for (let index = 0; index < 30; index++) {
    const created = new Date(Date.now() - index * index * 3_600_000).toISOString();
    await putImage(to, `1.${index}.0`, { layer: "x".repeat(1000 * index), created });
  }
  const platforms: Descriptor[] = [];
  for (const architecture of ["amd64", "arm64", "ppc64le", "s390x", "riscv64"]) {
    platforms.push({ ...(await putImage(to, undefined, { architecture })), platform: { os: "linux", architecture } });
  }
  const index = await putIndex(to, "latest", platforms);
  await putIndex(to, "stable", platforms);
  await putIndex(to, longTag, platforms);
  const [config, spdx] = ["application/vnd.oci.empty.v1+json", "application/spdx+json"];
  await putArtifact(to, undefined, { config, layer: spdx }, { artifactType: spdx, subject: index });
  await putArtifact(to, index.digest.replace(":", "-").concat(".sig"), {
    config: "application/vnd.oci.image.config.v1+json",
    layer: "application/vnd.dev.cosign.simplesigning.v1+json",
  });
  const chart = {
    config: "application/vnd.cncf.helm.config.v1+json",
    layer: "application/vnd.cncf.helm.chart.content.v1.tar+gzip",
  };
  await putArtifact({ ...to, repository: "team/charts/web" }, "2.1.0", chart, {
    annotations: { "org.opencontainers.image.description": "<script>alert(1)</script>" },
  });
  const others = Array.from({ length: 60 }, (_, number) => `team/service-${number}`);
  for (const repository of ["team/lib", longRepository, "alice/tool", "secret/app", ...others]) {
    await putImage({ ...to, repository }, "latest");
  }
  return registry;
}
