import { createHash, hash as digestOf, timingSafeEqual } from "node:crypto";
import md5Crypt from "apache-md5";
import desCrypt from "unix-crypt-td-js";
import type { PasswordHash } from "./hash-format.ts";
import { shaCrypt } from "./sha-crypt.ts";

/** Every kind but bcrypt, which has a thread pool of its own. */
export type ComputedHash = PasswordHash & { readonly kind: Exclude<PasswordHash["kind"], "bcrypt"> };

/**
 * Whether the password is the one that was hashed. Computes on the calling thread; the comparison takes the same time
 * wherever the two differ.
 */
export function matchHash(hash: ComputedHash, password: string): boolean {
  const bytes = Buffer.from(password, "utf8");
  switch (hash.kind) {
    case "md5-crypt":
      // The library takes a character for a byte.
      return same(md5Crypt(bytes.toString("latin1"), hash.text), hash.text);
    case "des-crypt":
      return same(desCrypt([...bytes], hash.text), hash.text);
    case "sha256-crypt":
    case "sha512-crypt": {
      const end = hash.text.lastIndexOf("$");
      const salt = hash.text.slice(hash.text.lastIndexOf("$", end - 1) + 1, end);
      return same(shaCrypt(hash.kind, bytes, Buffer.from(salt, "latin1"), hash.cost), hash.text.slice(end + 1));
    }
    case "sha1":
      return same(digestOf("sha1", bytes, "base64"), hash.text.slice("{SHA}".length));
    case "salted-sha1": {
      const stored = Buffer.from(hash.text.slice("{SSHA}".length), "base64");
      const computed = createHash("sha1").update(bytes).update(stored.subarray(20)).digest();
      return timingSafeEqual(computed, stored.subarray(0, 20));
    }
    case "plain":
      return same(password, hash.text);
  }
}

/** Digests are compared, so that not even the length of a plain text shows. */
function same(computed: string, stored: string): boolean {
  return timingSafeEqual(digestOf("sha256", computed, "buffer"), digestOf("sha256", stored, "buffer"));
}
