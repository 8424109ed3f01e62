/** What a `Range` header asks of a representation; both ends are inclusive offsets. */
export type ByteRange =
  | { readonly kind: "whole" }
  | { readonly kind: "part"; readonly first: number; readonly last: number }
  | { readonly kind: "unsatisfiable" };

const whole: ByteRange = { kind: "whole" };
const unsatisfiable: ByteRange = { kind: "unsatisfiable" };

/**
 * Reads a `Range` header (RFC 9110, section 14.2) against a representation of `size` bytes. Another unit than bytes and
 * several ranges are ignored, which the RFC allows; a malformed range is unsatisfiable, as docker-registry has it.
 */
export function parseByteRange(header: string | undefined, size: number): ByteRange {
  if (header === undefined) return whole;
  const unit = /^([^\s=]+)=(.*)$/.exec(header.trim());
  if (unit === null) return unsatisfiable;
  const [, name = "", set = ""] = unit;
  if (name.toLowerCase() !== "bytes") return whole;
  const ranges = set.split(",").map((range) => range.trim());
  if (!ranges.every((range) => /^(?:\d+-\d*|-\d+)$/.test(range))) return unsatisfiable;
  const [only] = ranges;
  if (only === undefined || ranges.length > 1) return whole;
  const dash = only.indexOf("-");
  const first = only.slice(0, dash);
  const last = only.slice(dash + 1);
  if (first === "") return suffix(Number(last), size);
  const from = Number(first);
  const to = last === "" ? size - 1 : Math.min(Number(last), size - 1);
  if (from >= size || from > to) return unsatisfiable;
  return { kind: "part", first: from, last: to };
}

function suffix(length: number, size: number): ByteRange {
  if (length === 0) return unsatisfiable;
  // Nothing can be named within nothing: the empty representation itself is the answer.
  if (size === 0) return whole;
  return { kind: "part", first: Math.max(0, size - length), last: size - 1 };
}
