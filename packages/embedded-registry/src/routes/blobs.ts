import type { FileHandle } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import type { ByteRange } from "../http/byte-range.ts";
import { parseByteRange } from "../http/byte-range.ts";
import type { Exchange } from "../http/exchange.ts";
import { alreadyHeld, sendEmpty } from "../http/exchange.ts";
import { Problem } from "../http/problem.ts";
import type { Storage } from "../storage/storage.ts";
import { requireDigest } from "./references.ts";

/** `GET` and `HEAD /v2/<name>/blobs/<digest>` (OCI distribution specification 1.1, end-2), whole or a range. */
export async function getBlob(
  exchange: Exchange,
  storage: Storage,
  repository: string,
  digestText: string,
): Promise<void> {
  const digest = requireDigest(digestText);
  const blob = await storage.blobs.open(repository, digest);
  if (blob === undefined) throw unknown(digestText);
  try {
    const etag = `"${digest.text}"`;
    exchange.response.setHeader("docker-content-digest", digest.text);
    exchange.response.setHeader("etag", etag);
    exchange.response.setHeader("cache-control", "max-age=31536000");
    exchange.response.setHeader("accept-ranges", "bytes");
    if (alreadyHeld(exchange, etag)) sendEmpty(exchange, 304);
    else await sendRange(exchange, blob.handle, blob.size, requestedRange(exchange, etag, blob.size));
  } finally {
    await blob.handle.close();
  }
}

/** `DELETE /v2/<name>/blobs/<digest>` (end-10). Other repositories keep theirs. */
export async function deleteBlob(
  exchange: Exchange,
  storage: Storage,
  repository: string,
  digestText: string,
): Promise<void> {
  if (!(await storage.blobs.remove(repository, requireDigest(digestText)))) throw unknown(digestText);
  sendEmpty(exchange, 202);
}

function requestedRange(exchange: Exchange, etag: string, size: number): ByteRange {
  const condition = exchange.request.headers["if-range"];
  // The client holds a part of something else (RFC 9110, section 13.1.5).
  if (condition !== undefined && condition !== etag) return { kind: "whole" };
  return parseByteRange(exchange.request.headers.range, size);
}

async function sendRange(exchange: Exchange, handle: FileHandle, size: number, range: ByteRange): Promise<void> {
  if (range.kind === "unsatisfiable") {
    throw new Problem(416, "RANGE_INVALID", "range not satisfiable", null, { "content-range": `bytes */${size}` });
  }
  const first = range.kind === "part" ? range.first : 0;
  const end = range.kind === "part" ? range.last + 1 : size;
  exchange.response.writeHead(range.kind === "part" ? 206 : 200, {
    "content-type": "application/octet-stream",
    "content-length": end - first,
    ...(range.kind === "part" ? { "content-range": `bytes ${first}-${range.last}/${size}` } : {}),
  });
  if (exchange.request.method === "HEAD" || end === first) {
    exchange.response.end();
    return;
  }
  await pipeline(handle.createReadStream({ start: first, end: end - 1, autoClose: false }), exchange.response);
}

function unknown(digest: string): Problem {
  return new Problem(404, "BLOB_UNKNOWN", "blob unknown to registry", { digest });
}
