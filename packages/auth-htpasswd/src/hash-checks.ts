import { loadBcrypt } from "./bcrypt.ts";
import type { PasswordHash } from "./hash-format.ts";
import { type ComputedHash, matchHash } from "./match-hash.ts";
import { createWorkerPool } from "./worker-pool.ts";

/** Compares passwords with hashes, the expensive kinds off the event loop. */
export interface HashChecks {
  /** @throws {Error} when a thread fails, or bcrypt cannot be loaded. */
  matches(hash: PasswordHash, password: string): Promise<boolean>;
  /** Ends the threads. */
  close(): Promise<void>;
}

export function createHashChecks(): HashChecks {
  const pool = createWorkerPool();
  return {
    async matches(hash, password) {
      if (isCheap(hash)) return matchHash(hash, password);
      if (isComputed(hash)) return pool.run({ hash, password });
      const { verify } = await loadBcrypt();
      return verify(password, hash.text);
    },
    close: () => pool.close(),
  };
}

function isComputed(hash: PasswordHash): hash is ComputedHash {
  return hash.kind !== "bcrypt";
}

/** One digest costs less than sending the task to another thread. */
export function isCheap(hash: PasswordHash): hash is ComputedHash {
  return hash.kind === "sha1" || hash.kind === "salted-sha1" || hash.kind === "plain";
}
