import { parseChunkRange } from "../http/content-range.ts";
import type { Exchange } from "../http/exchange.ts";
import { sendEmpty } from "../http/exchange.ts";
import { Problem } from "../http/problem.ts";
import type { Digest } from "../names/digest.ts";
import { isRepositoryName } from "../names/repository-name.ts";
import type { Storage } from "../storage/storage.ts";
import type { Upload } from "../storage/upload-store.ts";
import { requireDigest } from "./references.ts";
import { opaqueUploads } from "./target.ts";

/** Waits between the last byte of a blob and the answer: a fault to test with. */
export type CommitDelay = () => Promise<void>;

/**
 * `POST /v2/<name>/blobs/uploads/` (OCI distribution specification 1.1, end-4a, 4b and 11): mounts a blob of another
 * repository, takes a whole blob in one request, or opens an upload.
 */
export async function startUpload(
  exchange: Exchange,
  storage: Storage,
  repository: string,
  delay: CommitDelay,
): Promise<void> {
  if (await mount(exchange, storage, repository)) return;
  const digest = exchange.query.has("digest") ? requireDigest(exchange.query.get("digest")) : undefined;
  const upload = await storage.uploads.start(repository);
  if (digest === undefined) {
    sendProgress(exchange, upload, 202);
    return;
  }
  await upload.inTurn(async () => {
    try {
      await upload.append(exchange.body());
      await commit(exchange, storage, upload, digest, delay);
    } finally {
      // Nobody was told where this upload is, so nobody could go on with it.
      await storage.uploads.end(upload);
    }
  });
}

/** `PATCH` on an upload (end-5): a chunk with its `Content-Range`, or a stream that goes on where the last one ended. */
export async function patchUpload(exchange: Exchange, storage: Storage, repository: string, id: string): Promise<void> {
  await onUpload(exchange, storage, repository, id, async (upload) => {
    await receiveChunk(exchange, upload);
    sendProgress(exchange, upload, 202);
  });
}

/** `PUT` on an upload (end-6): the last chunk, if any, and the digest of the whole. */
export async function finishUpload(
  exchange: Exchange,
  storage: Storage,
  repository: string,
  id: string,
  delay: CommitDelay,
): Promise<void> {
  const digest = requireDigest(exchange.query.get("digest"));
  await onUpload(exchange, storage, repository, id, async (upload) => {
    await receiveChunk(exchange, upload);
    await commit(exchange, storage, upload, digest, delay);
  });
}

/** `GET` on an upload (end-13): how far it has come. */
export async function getUpload(exchange: Exchange, storage: Storage, repository: string, id: string): Promise<void> {
  sendProgress(exchange, requireUpload(exchange, storage, repository, id), 204);
}

/** `DELETE` on an upload: gives it up. */
export async function cancelUpload(
  exchange: Exchange,
  storage: Storage,
  repository: string,
  id: string,
): Promise<void> {
  await onUpload(exchange, storage, repository, id, async (upload) => {
    await storage.uploads.end(upload);
    sendEmpty(exchange, 204, { "docker-upload-uuid": id });
  });
}

async function mount(exchange: Exchange, storage: Storage, repository: string): Promise<boolean> {
  const wanted = exchange.query.get("mount");
  const source = exchange.query.get("from");
  // Looking for the blob in every repository would tell the client what others hold; without a source it uploads.
  if (wanted === null || source === null) return false;
  const digest = requireDigest(wanted);
  if (!isRepositoryName(source)) throw new Problem(400, "NAME_INVALID", "invalid repository name", { name: source });
  if (!(await storage.blobs.mount(repository, digest, source))) return false;
  sendCreated(exchange, repository, digest);
  return true;
}

function requireUpload(exchange: Exchange, storage: Storage, repository: string, id: string): Upload {
  const upload = storage.uploads.find(id);
  if (upload === undefined || upload.repository !== repository) {
    throw new Problem(404, "BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry");
  }
  const state = exchange.query.get(exchange.uploads === "opaque" ? "state" : "_state");
  if (state !== upload.state) {
    throw new Problem(400, "BLOB_UPLOAD_INVALID", "blob upload invalid", "not the Location of this upload");
  }
  return upload;
}

async function onUpload(
  exchange: Exchange,
  storage: Storage,
  repository: string,
  id: string,
  work: (upload: Upload) => Promise<void>,
): Promise<void> {
  const upload = requireUpload(exchange, storage, repository, id);
  await upload.inTurn(async () => {
    // Whoever came before may have ended it.
    await work(requireUpload(exchange, storage, repository, id));
  });
}

async function receiveChunk(exchange: Exchange, upload: Upload): Promise<void> {
  const header = exchange.request.headers["content-range"];
  if (header === undefined) {
    await upload.append(exchange.body());
    return;
  }
  const range = parseChunkRange(header);
  if (range === undefined) {
    throw new Problem(400, "BLOB_UPLOAD_INVALID", "blob upload invalid", "malformed Content-Range");
  }
  if (range.first !== upload.size) {
    throw new Problem(416, "RANGE_INVALID", "chunk out of order", null, progressHeaders(exchange, upload));
  }
  if (!(await upload.append(exchange.body(), range.last - range.first + 1))) {
    throw new Problem(400, "SIZE_INVALID", "Content-Range is not the length of the body");
  }
}

async function commit(
  exchange: Exchange,
  storage: Storage,
  upload: Upload,
  digest: Digest,
  delay: CommitDelay,
): Promise<void> {
  if (!(await upload.matches(digest))) {
    await storage.uploads.end(upload);
    throw new Problem(400, "DIGEST_INVALID", "provided digest did not match uploaded content", { digest: digest.text });
  }
  await delay();
  await storage.blobs.adopt(upload.repository, digest, upload.path);
  await storage.uploads.end(upload);
  sendCreated(exchange, upload.repository, digest);
}

function sendCreated(exchange: Exchange, repository: string, digest: Digest): void {
  sendEmpty(exchange, 201, {
    location: `${exchange.origin}/v2/${repository}/blobs/${digest.text}`,
    "docker-content-digest": digest.text,
  });
}

function sendProgress(exchange: Exchange, upload: Upload, status: number): void {
  sendEmpty(exchange, status, progressHeaders(exchange, upload));
}

function locationOf({ origin, uploads }: Exchange, { repository, id, state }: Upload): string {
  return uploads === "opaque"
    ? `${origin}${opaqueUploads}/${repository}/sessions/${id}?state=${state}&part=1`
    : `${origin}/v2/${repository}/blobs/uploads/${id}?_state=${state}`;
}

function progressHeaders(exchange: Exchange, upload: Upload): Record<string, string> {
  return {
    location: locationOf(exchange, upload),
    // Nothing at all is written as the first byte, as docker-registry does; the grammar has no word for it.
    range: `0-${Math.max(0, upload.size - 1)}`,
    "docker-upload-uuid": upload.id,
  };
}
