import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, expect, test } from "vitest";
import { run } from "../../../test/support/run.ts";
import type { EmbeddedRegistry } from "../src/index.ts";
import { startEmbeddedRegistry } from "../src/index.ts";
import { ociManifest, sha256 } from "./registry-client.ts";

const skopeo = (...parameters: string[]): Promise<string> => run("skopeo", parameters);

let registry: EmbeddedRegistry;
let folder: string;

beforeEach(async () => {
  registry = await startEmbeddedRegistry();
  folder = await mkdtemp(join(tmpdir(), "skopeo-"));
});
afterEach(async () => {
  await registry.close();
  await rm(folder, { recursive: true, force: true });
});

/** Writes an image of one layer, an empty archive, as an OCI layout; returns the digest of its manifest. */
async function writeLayout(directory: string): Promise<string> {
  const blobs = join(directory, "blobs", "sha256");
  await mkdir(blobs, { recursive: true });
  const add = async (content: string | Uint8Array) => {
    const digest = sha256(content);
    await writeFile(join(blobs, digest.slice("sha256:".length)), content);
    return { digest, size: Buffer.byteLength(content) };
  };
  const archive = Buffer.alloc(1024);
  const layer = await add(gzipSync(archive));
  const config = await add(
    JSON.stringify({ architecture: "amd64", os: "linux", rootfs: { type: "layers", diff_ids: [sha256(archive)] } }),
  );
  const manifest = await add(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: ociManifest,
      config: { mediaType: "application/vnd.oci.image.config.v1+json", ...config },
      layers: [{ mediaType: "application/vnd.oci.image.layer.v1.tar+gzip", ...layer }],
    }),
  );
  await writeFile(join(directory, "oci-layout"), JSON.stringify({ imageLayoutVersion: "1.0.0" }));
  const named = { mediaType: ociManifest, ...manifest, annotations: { "org.opencontainers.image.ref.name": "tiny" } };
  await writeFile(join(directory, "index.json"), JSON.stringify({ schemaVersion: 2, manifests: [named] }));
  return manifest.digest;
}

test("skopeo copies an image in, out and away", async () => {
  const digest = await writeLayout(join(folder, "in"));
  const remote = `docker://127.0.0.1:${registry.port}/team/tiny:v1`;
  await skopeo("copy", "--dest-tls-verify=false", `oci:${join(folder, "in")}:tiny`, remote);
  const inspected: unknown = JSON.parse(await skopeo("inspect", "--tls-verify=false", remote));
  expect(inspected).toMatchObject({ Digest: digest, RepoTags: ["v1"] });
  await skopeo("copy", "--src-tls-verify=false", remote, `oci:${join(folder, "out")}:tiny`);
  const index: unknown = JSON.parse(await readFile(join(folder, "out", "index.json"), "utf8"));
  expect(index).toMatchObject({ manifests: [{ digest }] });
  await skopeo("delete", "--tls-verify=false", remote);
  await expect(skopeo("inspect", "--tls-verify=false", remote)).rejects.toThrow(/manifest unknown/);
});
