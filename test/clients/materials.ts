import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { gzipSync } from "node:zlib";
import { imageArchive } from "../support/image-archive.ts";
import { tarArchive } from "../support/tar-archive.ts";
import { tag } from "./client.ts";

/** What clients push, as files. */
export interface Materials {
  /** An image as `docker save` writes it. */
  readonly image: string;
  /** The name of that image. */
  readonly imageName: string;
  /** Any file. */
  readonly file: string;
  /** A chart of Helm's that bears the last part of a repository's name, because Helm pushes it there. */
  chart(repository: string): Promise<string>;
  close(): Promise<void>;
}

export async function makeMaterials(): Promise<Materials> {
  const directory = await mkdtemp(join(tmpdir(), "rg-materials-"));
  const imageName = `docker.io/library/image:${tag}`;
  const image = join(directory, "image.tar");
  await writeFile(image, imageArchive(imageName, [{ "etc/version": "1\n" }]));
  const file = join(directory, "file.txt");
  await writeFile(file, "a file\n");
  return {
    image,
    imageName,
    file,
    async chart(repository) {
      const name = basename(repository);
      const path = join(directory, `${name}-${tag}.tgz`);
      const content = Buffer.from(`apiVersion: v2\nname: ${name}\nversion: ${tag}\n`);
      await writeFile(path, gzipSync(tarArchive([{ path: `${name}/Chart.yaml`, content }])));
      return path;
    },
    close: () => rm(directory, { recursive: true, force: true }),
  };
}
