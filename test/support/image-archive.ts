import { createCipheriv, createHash } from "node:crypto";
import { type ArchivedFile, tarArchive } from "./tar-archive.ts";

/** The files of one layer, by their paths. */
export type ImageLayer = Readonly<Record<string, string | Uint8Array>>;

/** An image as `docker load` takes it: one archive of its layers, its configuration and its name. */
export function imageArchive(reference: string, layers: readonly ImageLayer[]): Uint8Array {
  const archives = layers.map((files) =>
    tarArchive(Object.entries(files).map(([path, content]) => ({ path, content: Buffer.from(content) }))),
  );
  const configuration = JSON.stringify({
    architecture: "amd64",
    os: "linux",
    config: {},
    rootfs: { type: "layers", diff_ids: archives.map(diffId) },
  });
  const manifest = [
    { Config: "config.json", RepoTags: [reference], Layers: archives.map((_layer, index) => `${index}/layer.tar`) },
  ];
  const files: ArchivedFile[] = [
    { path: "manifest.json", content: Buffer.from(JSON.stringify(manifest)) },
    { path: "config.json", content: Buffer.from(configuration) },
    ...archives.map((content, index) => ({ path: `${index}/layer.tar`, content })),
  ];
  return tarArchive(files);
}

/** The digest by which an image's configuration names a layer: that of its uncompressed archive. */
function diffId(archive: Uint8Array): string {
  return `sha256:${createHash("sha256").update(archive).digest("hex")}`;
}

/** Bytes that no compression makes fewer; the same for the same length. */
export function incompressible(length: number): Uint8Array {
  const key = Buffer.alloc(16);
  return createCipheriv("aes-128-ctr", key, key).update(Buffer.alloc(length));
}
