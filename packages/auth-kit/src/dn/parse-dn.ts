/** One attribute and value of an RDN. */
export interface Ava {
  /** In lower case; well-known OIDs as their short names. */
  readonly type: string;
  /** Unescaped. Where {@link Ava.hex} is set, hexadecimal digits in lower case. */
  readonly value: string;
  /** The value is the BER encoding of something that is no string. */
  readonly hex: boolean;
}

/** From the entry itself up to the root. Of several AVAs in one RDN, the order means nothing. */
export type DN = readonly (readonly Ava[])[];

/** RFC 4514, section 3: the types that have short names. */
const SHORT_NAMES: Readonly<Record<string, string>> = {
  "2.5.4.3": "cn",
  "2.5.4.7": "l",
  "2.5.4.8": "st",
  "2.5.4.10": "o",
  "2.5.4.11": "ou",
  "2.5.4.6": "c",
  "2.5.4.9": "street",
  "0.9.2342.19200300.100.1.25": "dc",
  "0.9.2342.19200300.100.1.1": "uid",
};

const TYPE = /^(?:[A-Za-z][A-Za-z0-9-]*|\d+(?:\.\d+)+)$/;
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Parses the string representation of a distinguished name (RFC 4514). Space around separators is ignored, as
 * RFC 2253 has it.
 *
 * @returns an empty list for the empty text, which names the root; `undefined` for what is not a DN.
 */
export function parseDN(text: string): DN | undefined {
  if (text.trim() === "") return [];
  const rdns: Ava[][] = [[]];
  let position = 0;
  for (;;) {
    const equals = text.indexOf("=", position);
    if (equals === -1) return undefined;
    const type = text.slice(position, equals).trim().toLowerCase();
    if (!TYPE.test(type)) return undefined;
    const value = readValue(text, equals + 1);
    if (value === undefined) return undefined;
    rdns.at(-1)?.push({ type: SHORT_NAMES[type] ?? type, value: value.text, hex: value.hex });
    if (value.end === text.length) return rdns;
    if (text[value.end] === ",") rdns.push([]);
    position = value.end + 1;
  }
}

interface Value {
  readonly text: string;
  readonly hex: boolean;
  /** Where the separator stands, or the text ends. */
  readonly end: number;
}

function readValue(text: string, start: number): Value | undefined {
  let position = start;
  while (text[position] === " ") position++;
  return text[position] === "#" ? readHexValue(text, position + 1) : readTextValue(text, position);
}

/** A value without escapes, as most are; what follows it decides whether it is a whole one. */
const PLAIN = /[^\\,+"<>;\0]*/y;

function readTextValue(text: string, start: number): Value | undefined {
  PLAIN.lastIndex = start;
  const plain = PLAIN.exec(text)?.[0] ?? "";
  const next = text[start + plain.length];
  if ((next === undefined || next === "," || next === "+") && plain.isWellFormed()) {
    let end = plain.length;
    while (plain[end - 1] === " ") end--;
    return { text: plain.slice(0, end), hex: false, end: start + plain.length };
  }
  const bytes: Buffer[] = [];
  let plainFrom = start;
  let position = start;
  // Spaces at the end that are not escaped belong to the separator.
  let significant = 0;
  let length = 0;
  const take = (bytesOfPart: Buffer): void => {
    bytes.push(bytesOfPart);
    length += bytesOfPart.length;
  };
  for (; position < text.length; position++) {
    const character = text.charAt(position);
    if (character === "," || character === "+") break;
    if (/["<>;\0]/.test(character)) return undefined;
    if (character !== "\\") continue;
    take(Buffer.from(text.slice(plainFrom, position)));
    const pair = /^[0-9A-Fa-f]{2}/.exec(text.slice(position + 1, position + 3));
    const escaped = text.charAt(position + 1);
    if (pair !== null) take(Buffer.from(pair[0], "hex"));
    else if (escaped !== "" && ' "#+,;<=>\\'.includes(escaped)) take(Buffer.from(escaped));
    else return undefined;
    position += pair === null ? 1 : 2;
    plainFrom = position + 1;
    significant = length;
  }
  take(Buffer.from(text.slice(plainFrom, position)));
  const whole = Buffer.concat(bytes);
  let end = whole.length;
  while (end > significant && whole[end - 1] === 0x20) end--;
  const decoded = decode(whole.subarray(0, end));
  return decoded === undefined ? undefined : { text: decoded, hex: false, end: position };
}

/** UTF8String, PrintableString, IA5String, and the OCTET STRING that LDAP itself uses. */
const STRING_TAGS = new Set([0x04, 0x0c, 0x13, 0x16]);

const HEX = /[0-9A-Fa-f]*/y;

function readHexValue(text: string, start: number): Value | undefined {
  HEX.lastIndex = start;
  const digits = HEX.exec(text)?.[0] ?? "";
  if (digits === "" || digits.length % 2 !== 0) return undefined;
  let end = start + digits.length;
  while (text[end] === " ") end++;
  if (end < text.length && text[end] !== "," && text[end] !== "+") return undefined;
  const ber = Buffer.from(digits, "hex");
  const string = STRING_TAGS.has(ber[0] ?? 0) && ber[1] === ber.length - 2 ? decode(ber.subarray(2)) : undefined;
  return string === undefined ? { text: digits.toLowerCase(), hex: true, end } : { text: string, hex: false, end };
}

function decode(bytes: Buffer): string | undefined {
  try {
    return utf8.decode(bytes);
  } catch {
    return undefined;
  }
}
