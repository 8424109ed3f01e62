import { createHash, randomBytes } from "node:crypto";
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from "node:http";
import { request as httpRequest } from "node:http";

export const ociManifest = "application/vnd.oci.image.manifest.v1+json";
export const ociIndex = "application/vnd.oci.image.index.v1+json";

export function sha256(content: string | Uint8Array): string {
  return `sha256:${createHash("sha256").update(content).digest("hex")}`;
}

/** Opens an upload; returns the URL to go on with. */
export async function openUpload(url: string, repository: string): Promise<string> {
  const answer = await fetch(`${url}/v2/${repository}/blobs/uploads/`, { method: "POST" });
  if (answer.status !== 202) throw new Error(`POST: ${answer.status}`);
  return locationOf(answer, url);
}

export function locationOf(answer: Response, url: string): string {
  const location = answer.headers.get("location");
  if (location === null) throw new Error("no Location");
  return new URL(location, url).href;
}

/** Adds the digest to the URL of an upload. */
export function withDigest(location: string, digest: string): string {
  const url = new URL(location);
  url.searchParams.set("digest", digest);
  return url.href;
}

/** Pushes a blob with POST and PUT; returns its digest. */
export async function pushBlob(url: string, repository: string, content: string | Uint8Array): Promise<string> {
  const digest = sha256(content);
  const location = await openUpload(url, repository);
  const answer = await fetch(withDigest(location, digest), { method: "PUT", body: Buffer.from(content) });
  if (answer.status !== 201) throw new Error(`PUT: ${answer.status} ${await answer.text()}`);
  return digest;
}

export interface Pushed {
  readonly digest: string;
  readonly content: string;
  readonly layer: string;
}

/** Pushes a manifest with its configuration and one random layer, and `more` in the manifest. */
export async function pushImage(
  url: string,
  repository: string,
  reference: string,
  more: object = {},
): Promise<Pushed> {
  const config = await pushBlob(url, repository, "{}");
  const layer = await pushBlob(url, repository, randomBytes(100));
  const content = JSON.stringify({
    schemaVersion: 2,
    mediaType: ociManifest,
    config: { mediaType: "application/vnd.oci.empty.v1+json", digest: config, size: 2 },
    layers: [{ mediaType: "application/vnd.oci.image.layer.v1.tar", digest: layer, size: 100 }],
    ...more,
  });
  const digest = sha256(content);
  const answer = await putManifest(url, repository, reference === "" ? digest : reference, content);
  if (answer.status !== 201) throw new Error(`PUT: ${answer.status} ${await answer.text()}`);
  return { digest, content, layer };
}

export async function putManifest(
  url: string,
  repository: string,
  reference: string,
  content: string,
  type: string = ociManifest,
): Promise<Response> {
  const target = `${url}/v2/${repository}/manifests/${reference}`;
  return await fetch(target, { method: "PUT", headers: { "content-type": type }, body: content });
}

/** The code of the one error in an answer. */
export async function errorCode(answer: Response): Promise<unknown> {
  const body: unknown = await answer.json();
  if (typeof body !== "object" || body === null || !("errors" in body) || !Array.isArray(body.errors)) return body;
  return body.errors.length === 1 ? body.errors[0].code : body;
}

export interface RawAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** One request as it is, without the client's own idea of a URL. Rejects where the answer ends early. */
export async function rawRequest(
  url: string,
  method: string,
  path: string,
  headers: OutgoingHttpHeaders = {},
  body?: Uint8Array,
): Promise<RawAnswer> {
  const { hostname, port } = new URL(url);
  return await new Promise((resolve, reject) => {
    const request = httpRequest({ hostname, port, method, path, headers, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () => {
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) });
      });
    });
    request.on("error", reject);
    request.end(body);
  });
}
