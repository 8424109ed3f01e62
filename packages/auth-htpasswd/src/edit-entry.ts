import { readText } from "@registry-gate/auth-kit";
import { readLine, startOfText } from "./text-lines.ts";
import { splitEntry } from "./user-file.ts";

/** A password file with one entry changed. */
export interface EditedFile {
  readonly content: Buffer;
  readonly outcome: "created" | "updated";
}

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/**
 * Gives a user a hash. The first line of the user, the one that counts, is replaced; without one, a line is added at
 * the end, with the line ending of the line before it. Every other byte stays as it is.
 */
export function editEntry(content: Buffer, username: string, hash: string): EditedFile {
  const entry = Buffer.from(`${username}:${hash}`);
  const beginning = startOfText(content);
  let ending = "\n";
  for (let start = beginning; start < content.length; ) {
    const feed = content.indexOf(LINE_FEED, start);
    const end = feed === -1 ? content.length : feed;
    const line = content.subarray(start, end);
    const carriage = line.at(-1) === CARRIAGE_RETURN;
    if (userOf(line) === username) {
      const rest = content.subarray(carriage ? end - 1 : end);
      return { content: Buffer.concat([content.subarray(0, start), entry, rest]), outcome: "updated" };
    }
    if (feed !== -1) ending = carriage ? "\r\n" : "\n";
    start = end + 1;
  }
  const unfinished = content.length > beginning && content.at(-1) !== LINE_FEED;
  const parts = [content, Buffer.from(unfinished ? ending : ""), entry, Buffer.from(ending)];
  return { content: Buffer.concat(parts), outcome: "created" };
}

function userOf(line: Buffer): string | undefined {
  const text = readLine(line);
  const entry = text === undefined || text.startsWith("#") ? undefined : splitEntry(text);
  return entry && readText(entry.username).text;
}
