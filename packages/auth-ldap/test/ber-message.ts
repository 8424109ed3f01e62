/** One element of BER: a tag, and contents of any length. */
export function element(tag: number, ...contents: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(contents);
  const length =
    body.length < 0x80
      ? Buffer.from([body.length])
      : Buffer.from([0x84, ...[24, 16, 8, 0].map((shift) => (body.length >> shift) & 0xff)]);
  return Buffer.concat([Buffer.from([tag]), length, body]);
}

function integer(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  // Without the zeros in front, but for one that keeps it from being negative.
  const start = bytes.findIndex((byte, index) => index === 3 || byte !== 0);
  return element(0x02, bytes.subarray((bytes[start] ?? 0) > 0x7f ? start - 1 : start));
}
const text = (value: string | Uint8Array): Buffer =>
  element(0x04, typeof value === "string" ? Buffer.from(value) : value);

/** An LDAPMessage. */
export const message = (id: number, operation: Uint8Array, ...rest: readonly Uint8Array[]): Buffer =>
  element(0x30, integer(id), operation, ...rest);

/** The parts that all results have. */
const result = (code: number, diagnostic: string): readonly Buffer[] => [
  element(0x0a, Buffer.from([code])),
  text(""),
  text(diagnostic),
];

export const bindResponse = (id: number, code = 0, diagnostic = ""): Buffer =>
  message(id, element(0x61, ...result(code, diagnostic)));

export const extendedResponse = (id: number, code = 0): Buffer => message(id, element(0x78, ...result(code, "")));

export const searchDone = (id: number, code = 0): Buffer => message(id, element(0x65, ...result(code, "")));

type Values = readonly (string | Uint8Array)[];

/** @param attributes By their names, or as pairs where a name comes more than once. */
export function searchEntry(
  id: number,
  dn: string,
  attributes: Readonly<Record<string, Values>> | readonly (readonly [string, Values])[],
): Buffer {
  const pairs = Array.isArray(attributes) ? attributes : Object.entries(attributes);
  // Joined beforehand: there may be more of them than a call has room for.
  const list = pairs.map(([name, values]) => element(0x30, text(name), element(0x31, Buffer.concat(values.map(text)))));
  return message(id, element(0x64, text(dn), element(0x30, Buffer.concat(list))));
}

export const searchReference = (id: number, url: string): Buffer => message(id, element(0x73, text(url)));
