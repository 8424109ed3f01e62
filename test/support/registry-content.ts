import { createHash } from "node:crypto";

/** Pushes and asks over plain HTTP, as one user. */
export interface Caller {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** What was pushed. */
export interface PushedImage {
  readonly repository: string;
  readonly tag: string;
  readonly blob: string;
  readonly manifest: string;
}

export function digestOf(content: string): string {
  return `sha256:${createHash("sha256").update(content).digest("hex")}`;
}

export const manifestType = "application/vnd.docker.distribution.manifest.v2+json";

/** The configuration of an image whose only layer is `content`. */
export function configOf(content: string): string {
  return JSON.stringify({ note: `config of ${content}` });
}

/** The manifest of an image whose only layer is `content`. */
export function manifestOf(content: string): string {
  const descriptor = (mediaType: string, text: string) => ({
    mediaType,
    digest: digestOf(text),
    size: Buffer.byteLength(text),
  });
  return JSON.stringify({
    schemaVersion: 2,
    mediaType: manifestType,
    config: descriptor("application/vnd.docker.container.image.v1+json", configOf(content)),
    layers: [descriptor("application/vnd.docker.image.rootfs.diff.tar", content)],
  });
}

/** Pushes an image whose only layer is `content`. */
export async function pushImage(
  caller: Caller,
  repository: string,
  tag: string,
  content: string,
): Promise<PushedImage> {
  const blob = await pushBlob(caller, repository, content);
  await pushBlob(caller, repository, configOf(content));
  const manifest = manifestOf(content);
  const response = await fetch(`${caller.url}/v2/${repository}/manifests/${tag}`, {
    method: "PUT",
    headers: { ...caller.headers, "Content-Type": manifestType },
    body: manifest,
  });
  if (response.status !== 201) throw new Error(`pushing ${repository}: ${response.status} ${await response.text()}`);
  return { repository, tag, blob, manifest: digestOf(manifest) };
}

async function pushBlob(caller: Caller, repository: string, content: string): Promise<string> {
  const location = await startUpload(caller, repository);
  const digest = digestOf(content);
  location.searchParams.set("digest", digest);
  const response = await fetch(location, { method: "PUT", headers: caller.headers, body: content });
  if (response.status !== 201) throw new Error(`pushing a blob: ${response.status} ${await response.text()}`);
  return digest;
}

/** Begins an upload. */
export async function startUpload(caller: Caller, repository: string): Promise<URL> {
  const response = await fetch(`${caller.url}/v2/${repository}/blobs/uploads/`, {
    method: "POST",
    headers: caller.headers,
  });
  const location = response.headers.get("location");
  if (response.status !== 202 || location === null) throw new Error(`starting an upload: ${response.status}`);
  return new URL(location, caller.url);
}
