import { createHash, randomUUID } from "node:crypto";

/** A blob or manifest. */
export interface Content {
  readonly digest: string;
  readonly bytes: Buffer;
}

/** A tiny image, different each time. */
export interface TrialImage {
  /** Unlike any other. */
  readonly tag: string;
  readonly config: Content;
  readonly layer: Content;
  readonly manifest: Content;
}

export const manifestType = "application/vnd.docker.distribution.manifest.v2+json";

export function digestOf(bytes: Buffer): string {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}

function contentOf(bytes: Buffer): Content {
  return { digest: digestOf(bytes), bytes };
}

export function createTrialImage(): TrialImage {
  const id = randomUUID();
  const layer = contentOf(archiveOf("registry-gate-doctor", `${id}\n`));
  const config = contentOf(
    json({
      architecture: "amd64",
      os: "linux",
      config: { Labels: { "registry-gate-doctor": id } },
      rootfs: { type: "layers", diff_ids: [layer.digest] },
    }),
  );
  const descriptor = (mediaType: string, { digest, bytes }: Content): object => ({
    mediaType,
    size: bytes.length,
    digest,
  });
  const manifest = contentOf(
    json({
      schemaVersion: 2,
      mediaType: manifestType,
      config: descriptor("application/vnd.docker.container.image.v1+json", config),
      layers: [descriptor("application/vnd.docker.image.rootfs.diff.tar", layer)],
    }),
  );
  return { tag: `doctor-${id}`, config, layer, manifest };
}

function json(value: object): Buffer {
  return Buffer.from(JSON.stringify(value));
}

/** A tar archive of one file (POSIX.1-1988, ustar). */
function archiveOf(name: string, text: string): Buffer {
  const header = Buffer.alloc(512);
  header.write(name, 0);
  header.write("0000644\0", 100);
  header.write("0000000\0", 108);
  header.write("0000000\0", 116);
  header.write(`${Buffer.byteLength(text).toString(8).padStart(11, "0")}\0`, 124);
  header.write("00000000000\0", 136);
  header.write("        0", 148);
  header.write("ustar\0" + "00", 257);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  const content = Buffer.alloc(512);
  content.write(text);
  return Buffer.concat([header, content, Buffer.alloc(1024)]);
}
