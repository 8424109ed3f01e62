import { describe, expect, test } from "vitest";
import { descriptions } from "../../src/registry/describe.ts";
import { NotAllowedError, RegistryFaultError } from "../../src/registry/reader.ts";
import { listReferrers } from "../../src/registry/referrers.ts";
import { putArtifact, putImage, putIndex } from "./content.ts";
import { openStage } from "./stage.ts";

const access = [{ subjects: ["user:alice"], repositories: ["**"], actions: ["pull"] }] as const;

describe("what stands behind a tag", () => {
  test("is an image, with its platform, size and age", async () => {
    const { registry, reader } = await openStage(access);
    const to = { url: registry.url, repository: "team/app" };
    const { digest } = await putImage(to, "1.0", { architecture: "arm", variant: "v7", layer: "x".repeat(5000) });
    const artifact = await descriptions().describe(reader("alice"), "team/app", "1.0");
    expect(artifact).toMatchObject({
      digest,
      kind: "image",
      mediaType: "application/vnd.oci.image.manifest.v1+json",
      platforms: [{ name: "linux/arm/v7", digest }],
      created: new Date("2026-11-20T10:00:00Z"),
    });
    expect(artifact?.bytes).toBeGreaterThan(5000);
    expect(artifact?.bytes).toBeLessThan(5500);
  });

  test("is an index, with each platform and none of its attestations", async () => {
    const { registry, reader } = await openStage(access);
    const to = { url: registry.url, repository: "team/app" };
    const amd = { ...(await putImage(to, undefined)), platform: { os: "linux", architecture: "amd64" } };
    const arm = {
      ...(await putImage(to, undefined, { architecture: "arm64", created: "2026-11-21T10:00:00Z" })),
      platform: { os: "linux", architecture: "arm64" },
    };
    const provenance = {
      ...(await putImage(to, undefined, { architecture: "unknown", os: "unknown" })),
      platform: { os: "unknown", architecture: "unknown" },
      annotations: { "vnd.docker.reference.type": "attestation-manifest" },
    };
    const { digest } = await putIndex(to, "1.0", [amd, arm, provenance]);
    const artifact = await descriptions().describe(reader("alice"), "team/app", "1.0");
    expect(artifact).toMatchObject({
      digest,
      kind: "multi-platform image",
      platforms: [
        { name: "linux/amd64", digest: amd.digest },
        { name: "linux/arm64", digest: arm.digest },
      ],
      created: new Date("2026-11-20T10:00:00Z"),
    });
    const sizes = artifact?.platforms.map(({ bytes }) => bytes) ?? [];
    expect(artifact?.bytes).toBe(sizes.reduce((sum, bytes) => sum + bytes, 0));
  });

  test.each([
    [
      "Helm chart",
      "1.0",
      "application/vnd.cncf.helm.config.v1+json",
      "application/vnd.cncf.helm.chart.content.v1.tar+gzip",
    ],
    [
      "signature",
      `sha256-${"a".repeat(64)}.sig`,
      "application/vnd.oci.image.config.v1+json",
      "application/vnd.dev.cosign.simplesigning.v1+json",
    ],
    ["attestation", "x", "application/vnd.oci.empty.v1+json", "application/vnd.in-toto+json"],
    ["SBOM", "x", "application/vnd.oci.empty.v1+json", "application/spdx+json"],
    ["WebAssembly module", "x", "application/vnd.wasm.config.v0+json", "application/wasm"],
    ["artifact", "x", "application/vnd.example+json", "text/plain"],
  ] as const)("is a %s", async (kind, tag, config, layer) => {
    const { registry, reader } = await openStage(access);
    await putArtifact({ url: registry.url, repository: "team/app" }, tag, { config, layer });
    expect(await descriptions().describe(reader("alice"), "team/app", tag)).toMatchObject({ kind });
  });

  test("is read once, and asked for each time", async () => {
    const { registry, reader, requests } = await openStage(access);
    const { digest } = await putImage({ url: registry.url, repository: "team/app" }, "1.0");
    const { describe } = descriptions();
    const begun = requests().length;
    const first = await describe(reader("alice"), "team/app", "1.0");
    const read = requests().length;
    expect(await describe(reader("alice"), "team/app", digest)).toBe(first);
    expect(requests().slice(begun, read)).toHaveLength(3);
    expect(requests().slice(read)).toEqual([`HEAD /v2/team/app/manifests/${digest}`]);
    await expect(describe(reader("bob"), "team/app", "1.0")).rejects.toThrow(NotAllowedError);
  });

  test("is nothing where the tag, the repository or the name is not there", async () => {
    const { registry, reader } = await openStage(access);
    await putImage({ url: registry.url, repository: "team/app" }, "1.0");
    const { describe } = descriptions();
    for (const [repository, reference] of [
      ["team/app", "2.0"],
      ["team/other", "1.0"],
      ["team/app", "../../team/app/manifests/1.0"],
      ["TEAM", "1.0"],
    ] as const) {
      expect(await describe(reader("alice"), repository, reference)).toBeUndefined();
    }
  });

  test("is a fault where the registry breaks off", async () => {
    const { registry, reader } = await openStage(access);
    registry.setFaults({ onRequest: (_request, response) => response.writeHead(500).end() !== undefined });
    await expect(descriptions().describe(reader("alice"), "team/app", "1.0")).rejects.toThrow(RegistryFaultError);
  });
});

test("referrers are told apart by their type", async () => {
  const { registry, reader } = await openStage(access);
  const to = { url: registry.url, repository: "team/app" };
  const image = await putImage(to, "1.0");
  const types = { config: "application/vnd.oci.empty.v1+json", layer: "application/spdx+json" };
  const sbom = await putArtifact(to, undefined, types, { artifactType: "application/spdx+json", subject: image });
  expect(await listReferrers(reader("alice"), "team/app", image.digest)).toEqual([
    { digest: sbom.digest, artifactType: "application/spdx+json", bytes: sbom.size },
  ]);
  expect(await listReferrers(reader("alice"), "team/app", sbom.digest)).toEqual([]);
});
