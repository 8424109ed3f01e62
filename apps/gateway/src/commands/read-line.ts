import type { Readable } from "node:stream";
import { InvalidOptionsError } from "@registry-gate/auth";

/** Far above any password that can be hashed, in bytes. */
const longest = 4096;

/**
 * Reads the first line of the input, without its end.
 *
 * @throws {InvalidOptionsError} at `password` when it is not UTF-8: as something else it could never be sent.
 */
export async function readLine(input: Readable): Promise<string> {
  const pieces: Buffer[] = [];
  let length = 0;
  for await (const piece of input) {
    const bytes = Buffer.from(piece);
    pieces.push(bytes);
    length += bytes.length;
    if (bytes.includes("\n") || length > longest) break;
  }
  const all = Buffer.concat(pieces);
  const end = all.indexOf("\n");
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(
      end < 0 ? all : all.subarray(0, end),
    );
    return text.replace(/\r$/, "");
  } catch (error) {
    throw new InvalidOptionsError([{ path: ["password"], message: "is not UTF-8 text" }], { cause: error });
  }
}
