import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";

/** No name of a repository or tag begins with it, and it needs no encoding in a URL. */
const mark = "~";
const ivLength = 12;
const tagLength = 16;
/** The length of what is sealed says no more about it than this. */
const paddedTo = 256;
/** Of a text, in bytes of UTF-8. Sealed it has 6,183 characters, for which every proxy has room in a request line. */
const longestText = 18 * paddedTo - 2;
/** A sealed text, or one that looks like it. */
const sealedPattern = /^~[A-Za-z0-9_-]{0,6182}$/;

/**
 * Seals texts that a client is to carry back, so that nobody can read, change or make up what is in them. Each belongs to a
 * context, such as an operation and the repository that was authorised for it, and is opened for that context alone.
 */
export interface Sealer {
  /**
   * Seals a text for a context.
   *
   * @returns URL-safe text; `undefined` for more than 4,606 bytes.
   */
  seal(text: string, context: readonly string[]): string | undefined;
  /** The text, if it was sealed with this key and for this context. */
  open(sealed: string, context: readonly string[]): string | undefined;
}

/** Whether a text has the form of a sealed one. */
export function isSealed(text: string | undefined): text is string {
  return text !== undefined && sealedPattern.test(text);
}

/** Seals with AES-256-GCM under a key of 32 bytes. */
export function createSealer(key: Buffer): Sealer {
  return {
    seal(text, context) {
      const bytes = Buffer.from(text, "utf8");
      if (bytes.length > longestText) return undefined;
      const plain = Buffer.alloc(Math.ceil((2 + bytes.length) / paddedTo) * paddedTo);
      plain.writeUInt16BE(bytes.length);
      bytes.copy(plain, 2);
      const iv = randomBytes(ivLength);
      const cipher = createCipheriv("aes-256-gcm", key, iv);
      cipher.setAAD(associatedData(context));
      const sealed = Buffer.concat([cipher.update(plain), cipher.final()]);
      return mark + Buffer.concat([iv, cipher.getAuthTag(), sealed]).toString("base64url");
    },
    open(sealed, context) {
      if (!isSealed(sealed)) return undefined;
      const text = sealed.slice(mark.length);
      const bytes = Buffer.from(text, "base64url");
      // What is sealed has one spelling: the last character has bits that mean nothing.
      if (bytes.toString("base64url") !== text || bytes.length < ivLength + tagLength + paddedTo) return undefined;
      const decipher = createDecipheriv("aes-256-gcm", key, bytes.subarray(0, ivLength), { authTagLength: tagLength });
      decipher.setAAD(associatedData(context));
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

/** No two contexts are written alike. */
function associatedData(context: readonly string[]): Buffer {
  return Buffer.from(JSON.stringify(context), "utf8");
}

/** Gives keys of 32 bytes: the first one seals, each of them opens. */
export type SealingKeys = () => readonly Uint8Array[];

const processKeys: readonly Uint8Array[] = [randomBytes(32)];

/**
 * The sealer for what a registry has said. What was sealed is never opened for another registry, which would be sent words
 * that are not its own.
 *
 * @param keys Default: one key for the process, so that a reload opens what was sealed before, and another process does not.
 */
export function sealerFor(registry: URL, keys: SealingKeys = () => processKeys): Sealer {
  const sealers = new WeakMap<Uint8Array, Sealer>();
  const sealerOf = (key: Uint8Array): Sealer => {
    const known = sealers.get(key);
    if (known !== undefined) return known;
    const sealer = createSealer(Buffer.from(key));
    sealers.set(key, sealer);
    return sealer;
  };
  const contextIn = (context: readonly string[]): readonly string[] => [registry.href, ...context];
  return {
    seal(text, context) {
      const [key] = keys();
      return key === undefined ? undefined : sealerOf(key).seal(text, contextIn(context));
    },
    open(sealed, context) {
      for (const key of keys()) {
        const text = sealerOf(key).open(sealed, contextIn(context));
        if (text !== undefined) return text;
      }
      return undefined;
    },
  };
}
