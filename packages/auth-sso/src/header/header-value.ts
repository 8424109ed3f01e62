import type { TextReading } from "@registry-gate/auth-kit";

/** Far more than any name. */
const LONGEST_VALUE = 16_384;

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Reads the value of a header as the UTF-8 that it is on the wire. Node hands each byte over as one character.
 *
 * @returns a fault for what is over-long, not UTF-8, or no value that can have come from the wire.
 */
export function decodeValue(value: string, longest: number = LONGEST_VALUE): TextReading {
  if (value.length > longest) return { fault: `is longer than ${longest} bytes` };
  if (/[^\u0000-\u00ff]/.test(value)) return { fault: "is not a header's value" };
  try {
    return { text: decoder.decode(Buffer.from(value, "latin1")) };
  } catch {
    return { fault: "is not UTF-8" };
  }
}

const ENCODED_WORD = /^=\?utf-8\?q\?((?:[!-<>@-^`-~_]|=[0-9A-F]{2})*)\?=$/i;

/**
 * Reads a value in which text beyond ASCII stands in encoded words (RFC 2047, section 4.2), as Tailscale writes it.
 * A value that does not begin like one is plain.
 */
export function decodeWords(value: string, longest: number = LONGEST_VALUE): TextReading {
  if (!value.startsWith("=?")) return decodeValue(value, longest);
  const bytes: Buffer[] = [];
  for (const word of value.split(/ +/)) {
    const encoded = ENCODED_WORD.exec(word)?.[1];
    if (encoded === undefined) return { fault: "is not in encoded words of UTF-8" };
    const characters = encoded
      .replaceAll("_", " ")
      .replace(/=([0-9A-F]{2})/gi, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)));
    bytes.push(Buffer.from(characters, "latin1"));
  }
  return decodeValue(Buffer.concat(bytes).toString("latin1"), longest);
}
