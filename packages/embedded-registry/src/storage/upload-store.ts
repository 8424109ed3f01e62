import type { Hash } from "node:crypto";
import { createHash, randomBytes, randomUUID } from "node:crypto";
import { createReadStream } from "node:fs";
import { open, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Digest } from "../names/digest.ts";
import type { Layout } from "./layout.ts";

/** A blob on its way in. It does not outlive the process. */
export interface Upload {
  readonly id: string;
  /** Without this secret, which its `Location` carries, an upload cannot be touched. */
  readonly state: string;
  readonly repository: string;
  /** Where the bytes lie. */
  readonly path: string;
  /** How many bytes there are. */
  readonly size: number;
  /**
   * Adds what `chunks` gives, hashing on the way. What came before a fault is kept, so that the client can go on from
   * there. With `expected`, exactly so many bytes must come: otherwise they are all taken back and the result is false.
   */
  append(chunks: AsyncIterable<Uint8Array>, expected?: number): Promise<boolean>;
  /** Whether the bytes have this digest. */
  matches(digest: Digest): Promise<boolean>;
  /** Runs `work` when the requests that came before it are done with this upload. */
  inTurn(work: () => Promise<void>): Promise<void>;
}

export interface UploadStore {
  start(repository: string): Promise<Upload>;
  find(id: string): Upload | undefined;
  /** Forgets the upload and removes its bytes, unless they were adopted. */
  end(upload: Upload): Promise<void>;
}

export function createUploadStore(layout: Layout): UploadStore {
  const uploads = new Map<string, Upload>();
  return {
    async start(repository) {
      const upload = createUpload(repository, layout.incoming);
      await (await open(upload.path, "wx")).close();
      uploads.set(upload.id, upload);
      return upload;
    },
    find: (id) => uploads.get(id),
    async end(upload) {
      uploads.delete(upload.id);
      await rm(upload.path, { force: true });
    },
  };
}

function createUpload(repository: string, incoming: string): Upload {
  const id = randomUUID();
  const path = join(incoming, id);
  let size = 0;
  let turn: Promise<unknown> = Promise.resolve();
  // Content is nearly always named by SHA-256, which is therefore known at once when the last byte has come.
  let sha256: Hash = createHash("sha256");
  return {
    id,
    state: randomBytes(16).toString("base64url"),
    repository,
    path,
    get size() {
      return size;
    },
    async append(chunks, expected) {
      const start = size;
      const before = sha256.copy();
      const file = await open(path, "r+");
      try {
        for await (const chunk of chunks) {
          if (expected !== undefined && size - start + chunk.byteLength > expected) {
            size = start;
            sha256 = before;
            return false;
          }
          await writeFully(file, chunk, size);
          sha256.update(chunk);
          size += chunk.byteLength;
        }
        if (expected === undefined || size - start === expected) return true;
        size = start;
        sha256 = before;
        return false;
      } finally {
        await file.truncate(size);
        await file.close();
      }
    },
    async matches(digest) {
      if (digest.algorithm === "sha256") return sha256.copy().digest("hex") === digest.hex;
      return (await hashFile(path, digest.algorithm)) === digest.hex;
    },
    inTurn(work) {
      const mine = turn.then(work);
      turn = mine.catch(() => undefined);
      return mine;
    },
  };
}

interface Writable {
  write(chunk: Uint8Array, offset: number, length: number, position: number): Promise<{ bytesWritten: number }>;
}

async function writeFully(file: Writable, chunk: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < chunk.byteLength; ) {
    done += (await file.write(chunk, done, chunk.byteLength - done, position + done)).bytesWritten;
  }
}

async function hashFile(path: string, algorithm: string): Promise<string> {
  const hash = createHash(algorithm);
  for await (const chunk of createReadStream(path)) hash.update(chunk);
  return hash.digest("hex");
}
