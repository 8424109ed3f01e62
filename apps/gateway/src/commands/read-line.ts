import type { Readable } from "node:stream";
import { InvalidOptionsError } from "@registry-gate/auth";
import { readSecretText } from "@registry-gate/auth-kit";

/** Far above any password that can be hashed, in bytes. */
const longest = 4096;

/**
 * Reads the first line of the input, without its end and without a byte order mark before it.
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
  const { text, fault } = readSecretText(end < 0 ? all : all.subarray(0, end + 1));
  if (text === undefined) throw new InvalidOptionsError([{ path: ["password"], message: fault }]);
  return text;
}
