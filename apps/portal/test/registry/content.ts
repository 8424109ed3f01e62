import { createHash } from "node:crypto";

/** Where to put content. */
export interface Pushing {
  readonly url: string;
  readonly repository: string;
  /** Default: none, for a registry that asks for no login. */
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly platform?: unknown;
  readonly annotations?: Readonly<Record<string, string>>;
}

const ociManifest = "application/vnd.oci.image.manifest.v1+json";
const ociIndex = "application/vnd.oci.image.index.v1+json";

async function putBlob(
  { url, repository, headers = {} }: Pushing,
  mediaType: string,
  content: string,
): Promise<Descriptor> {
  const digest = `sha256:${createHash("sha256").update(content).digest("hex")}`;
  const started = await fetch(`${url}/v2/${repository}/blobs/uploads/`, { method: "POST", headers });
  const location = new URL(started.headers.get("location") ?? "", url);
  location.searchParams.set("digest", digest);
  const put = await fetch(location, { method: "PUT", headers, body: content });
  if (put.status !== 201) throw new Error(`a blob: ${put.status}`);
  return { mediaType, digest, size: Buffer.byteLength(content) };
}

async function putManifest(
  { url, repository, headers = {} }: Pushing,
  tag: string | undefined,
  manifest: { readonly mediaType: string },
): Promise<Descriptor> {
  const body = JSON.stringify(manifest);
  const digest = `sha256:${createHash("sha256").update(body).digest("hex")}`;
  const put = await fetch(`${url}/v2/${repository}/manifests/${tag ?? digest}`, {
    method: "PUT",
    headers: { ...headers, "content-type": manifest.mediaType },
    body,
  });
  if (put.status !== 201) throw new Error(`a manifest: ${put.status} ${await put.text()}`);
  return { mediaType: manifest.mediaType, digest, size: Buffer.byteLength(body) };
}

interface ImageSettings {
  readonly os?: string;
  readonly architecture?: string;
  readonly variant?: string;
  readonly created?: string;
  readonly layer?: string;
  readonly more?: Readonly<Record<string, unknown>>;
}

/** An image of one platform. */
export async function putImage(
  to: Pushing,
  tag: string | undefined,
  {
    os = "linux",
    architecture = "amd64",
    variant,
    created = "2026-11-20T10:00:00Z",
    layer = "a layer",
    more,
  }: ImageSettings = {},
): Promise<Descriptor> {
  const text = JSON.stringify({ os, architecture, variant, created, rootfs: { type: "layers", diff_ids: [] } });
  const config = await putBlob(to, "application/vnd.oci.image.config.v1+json", text);
  const layers = [await putBlob(to, "application/vnd.oci.image.layer.v1.tar+gzip", layer)];
  return putManifest(to, tag, { ...{ schemaVersion: 2, config, layers, ...more }, mediaType: ociManifest });
}

/** An index of images. */
export function putIndex(to: Pushing, tag: string, manifests: readonly Descriptor[]): Promise<Descriptor> {
  return putManifest(to, tag, { ...{ schemaVersion: 2, manifests }, mediaType: ociIndex });
}

/** Anything else that is kept in a registry. */
export async function putArtifact(
  to: Pushing,
  tag: string | undefined,
  types: { readonly config: string; readonly layer: string },
  more: Readonly<Record<string, unknown>> = {},
): Promise<Descriptor> {
  const config = await putBlob(to, types.config, "{}");
  const layers = [await putBlob(to, types.layer, "content")];
  return putManifest(to, tag, { ...{ schemaVersion: 2, config, layers, ...more }, mediaType: ociManifest });
}
