import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";

/** No repository's name begins with it, and it needs no encoding in a URL. */
const mark = "~";
const ivLength = 12;
const tagLength = 16;
/** The length of a sealed cursor says no more about what is in it than this. */
const paddedTo = 256;
const longestCursor = 1022;

/**
 * Seals places in the registry's catalog at which a listing goes on, so that they can be given to a caller who must not
 * learn which repository is there.
 */
export interface CursorSealer {
  /**
   * Seals a cursor for one caller.
   *
   * @returns `undefined` for one that no registry has.
   */
  seal(cursor: string, caller: string): string | undefined;
  /** The cursor, if it was sealed with this key and for this caller. */
  open(sealed: string, caller: string): string | undefined;
}

/** Whether the place at which a listing is to go on is a sealed one. */
export function isSealed(last: string | undefined): last is string {
  return last?.startsWith(mark) === true;
}

/** @param key 32 bytes, for AES-256-GCM. */
export function cursorSealer(key: Buffer): CursorSealer {
  return {
    seal(cursor, caller) {
      const text = Buffer.from(cursor, "utf8");
      if (text.length > longestCursor) return undefined;
      const plain = Buffer.alloc(Math.ceil((2 + text.length) / paddedTo) * paddedTo);
      plain.writeUInt16BE(text.length);
      text.copy(plain, 2);
      const iv = randomBytes(ivLength);
      const cipher = createCipheriv("aes-256-gcm", key, iv);
      cipher.setAAD(Buffer.from(caller, "utf8"));
      const sealed = Buffer.concat([cipher.update(plain), cipher.final()]);
      return mark + Buffer.concat([iv, cipher.getAuthTag(), sealed]).toString("base64url");
    },
    open(sealed, caller) {
      const bytes = Buffer.from(sealed.slice(mark.length), "base64url");
      if (!isSealed(sealed) || bytes.length < ivLength + tagLength + paddedTo) return undefined;
      const decipher = createDecipheriv("aes-256-gcm", key, bytes.subarray(0, ivLength), { authTagLength: tagLength });
      decipher.setAAD(Buffer.from(caller, "utf8"));
      decipher.setAuthTag(bytes.subarray(ivLength, ivLength + tagLength));
      try {
        const plain = Buffer.concat([decipher.update(bytes.subarray(ivLength + tagLength)), decipher.final()]);
        return plain.toString("utf8", 2, 2 + plain.readUInt16BE());
      } catch {
        return undefined;
      }
    },
  };
}
