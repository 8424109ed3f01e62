import type { Readable } from "node:stream";
import type { ReadStream } from "node:tty";
import { InvalidOptionsError } from "@registry-gate/auth";
import { readSecretText } from "@registry-gate/auth-kit";

/** Far above any password that can be hashed, in characters or bytes. */
const longest = 4096;

/**
 * Asks on the terminal, one question after the other, without showing what is typed. The terminal is closed afterwards.
 *
 * @returns the responses, in the order of the questions.
 * @throws {Error} when the user interrupts, or ends the input.
 */
export async function askHidden(terminal: ReadStream, questions: readonly string[]): Promise<string[]> {
  // From before the first question can be read until after the last response: nothing of what is typed or pasted early shows.
  terminal.setRawMode(true);
  const keys = keysOf(terminal);
  const responses: string[] = [];
  try {
    for (const question of questions) {
      process.stderr.write(question);
      responses.push(await readResponse(keys));
    }
    return responses;
  } finally {
    terminal.setRawMode(false);
    await keys.return(undefined);
  }
}

async function* keysOf(terminal: ReadStream): AsyncGenerator<string, undefined> {
  terminal.setEncoding("utf8");
  for await (const text of terminal) yield* String(text);
}

/** In raw mode it falls to us what the terminal does else: to delete, to interrupt and to end. */
async function readResponse(keys: AsyncGenerator<string, undefined>): Promise<string> {
  const typed: string[] = [];
  try {
    for (;;) {
      const { value: key } = await keys.next();
      switch (key) {
        case "\u0003": // Ctrl-C
          throw new Error("interrupted");
        case undefined: // The terminal is gone.
          throw new Error("no password was given");
        case "\u0004": // Ctrl-D
          if (typed.length === 0) throw new Error("no password was given");
          return typed.join("");
        case "\r":
        case "\n":
          return typed.join("");
        case "\b":
        case "\u007f":
          typed.pop();
          break;
        case "\u0015": // Ctrl-U
          typed.length = 0;
          break;
        default:
          if (typed.length < longest) typed.push(key);
      }
    }
  } finally {
    process.stderr.write("\n");
  }
}

/**
 * Reads the first line of the input, without its end and without a byte order mark before it.
 *
 * @throws {InvalidOptionsError} at `password` when it is not UTF-8: as something else it could never be sent.
 */
export async function readLine(input: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of input) {
    const bytes = Buffer.from(chunk);
    chunks.push(bytes);
    length += bytes.length;
    if (bytes.includes("\n") || length > longest) break;
  }
  const all = Buffer.concat(chunks);
  const end = all.indexOf("\n");
  const { text, fault } = readSecretText(end < 0 ? all : all.subarray(0, end + 1));
  if (text === undefined) throw new InvalidOptionsError([{ path: ["password"], message: fault }]);
  return text;
}
