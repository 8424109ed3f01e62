import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";

/** A prefix that no repository or tag name has, and that needs no encoding in a URL. */
const mark = "~";
const ivLength = 12;
const tagLength = 16;
/** The granularity of padding: the length of sealed text reveals no more. */
const paddedTo = 256;
/**
 * The maximum length of a text, in bytes of UTF-8. Sealed it has 6,183 characters, which fits into the request line of
 * every proxy.
 */
const longestText = 18 * paddedTo - 2;
/** The syntax of a sealed text. */
const sealedPattern = /^~[A-Za-z0-9_-]{0,6182}$/;

/**
 * Encrypts and authenticates texts that a client sends back later. Each is bound to a context, such as an operation and
 * the repository that was authorized for it, and opens for that context only.
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

/** Whether a text has the syntax of a sealed one. */
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
      // Sealed text must have one spelling: the last Base64 character has unused bits.
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

/** Encodes a context unambiguously. */
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
