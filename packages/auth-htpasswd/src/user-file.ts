import { atOnce, InvalidFileError, isRobotName, readText, type Steps } from "@registry-gate/auth-kit";
import { type HashReading, type PasswordHash, readHash } from "./hash-format.ts";
import { hashLikeFault, isDigest, isLocked } from "./lookalikes.ts";
import { type Note, textLines } from "./text-lines.ts";

/** The users of a password file. */
export interface UserFile {
  /** By name in Normalization Form C. */
  readonly hashes: ReadonlyMap<string, PasswordHash>;
  /** Every entry that cannot be used, and why. */
  readonly faults: readonly Note[];
  /** All users with an entry, usable or not. */
  readonly names: ReadonlySet<string>;
  /** How many entries are locked on purpose. */
  readonly locked: number;
  /** The lines of entries that can be used, but are weaker than they look. */
  readonly weak: { readonly des: readonly number[]; readonly plain: readonly number[] };
}

/**
 * Reads a password file: a line `user:hash` for each user. What follows a second colon is ignored, and of several lines
 * for one user the first counts, as with Apache and nginx.
 *
 * @throws {InvalidFileError} when the file as a whole is no password file.
 */
export function parseUserFile(content: Buffer, allowPlaintext: boolean): UserFile {
  return atOnce(userFileSteps(content, allowPlaintext));
}

/** The same, in a step for each line. */
export function* userFileSteps(content: Buffer, allowPlaintext: boolean): Steps<UserFile> {
  const hashes = new Map<string, PasswordHash>();
  const names = new Set<string>();
  const firstLines = new Map<string, number>();
  const faults: Note[] = [];
  const weak = { des: [] as number[], plain: [] as number[] };
  let malformedLines = 0;
  let wellFormedLines = 0;
  let locked = 0;

  for (const { number: line, text } of textLines(content)) {
    yield;
    const fault = (message: string): void => void faults.push({ line, message });
    const entry = text === undefined ? undefined : splitEntry(text);
    if (entry === undefined) {
      malformedLines++;
      fault(text === undefined ? "the line is not UTF-8" : "the line has no colon between a user and a hash");
      continue;
    }
    wellFormedLines++;
    const { text: name, fault: nameFault } = readText(entry.username);
    if (name === undefined) {
      fault(`the name of the user ${nameFault}`);
      continue;
    }
    if (isRobotName(name)) {
      fault("the name of the user is reserved for robots");
      continue;
    }
    const first = firstLines.get(name);
    if (first !== undefined) {
      fault(`duplicate user: line ${first} applies`);
      continue;
    }
    // A large collection grows by being copied as a whole: a step for each of them.
    firstLines.set(name, line);
    yield;
    names.add(name);
    yield;
    const reading = readStored(entry, allowPlaintext);
    if ("fault" in reading) {
      fault(reading.fault);
      if (reading.locked === true) locked++;
    } else {
      hashes.set(name, reading.hash);
      if (reading.hash.kind === "des-crypt") weak.des.push(line);
      if (reading.hash.kind === "plain") weak.plain.push(line);
    }
  }
  if (malformedLines > 0 && wellFormedLines === 0)
    throw new InvalidFileError("is not a password file: no line is user:hash");
  return { hashes, names, faults, locked, weak };
}

function readStored({ stored, next }: Entry, allowPlaintext: boolean): HashReading {
  // The realm of htdigest stands where htpasswd has the hash, and could pass for a password, or for DES crypt.
  if (next !== undefined && isDigest(next) && !/^[${]/.test(stored)) {
    return { fault: "this is a line of htdigest (user:realm:hash), whose hashes are of another kind" };
  }
  if (stored === "x" && next !== undefined && /^\d+$/.test(next)) {
    return { fault: "this is a line of /etc/passwd, which holds no password" };
  }
  return readHash(stored, allowPlaintext);
}

/** One line, taken apart. */
export interface Entry {
  /** As it stands there. */
  readonly username: string;
  readonly stored: string;
  /** What stands between a second colon and a third, or the end. */
  readonly next: string | undefined;
}

/**
 * Takes one line apart, already trimmed.
 *
 * @returns `undefined` where there is no colon.
 */
export function splitEntry(text: string): Entry | undefined {
  const [username, stored, next] = text.split(":", 3);
  return username === undefined || stored === undefined ? undefined : { username, stored, next };
}

/**
 * Keeps an entry from being written into a group file or a configuration, whose lines have a colon too: behind it is a blank
 * and no hash, or nothing.
 *
 * @throws {InvalidFileError} where that is so of every line.
 */
export function requireUserFile(content: Buffer): void {
  const stored = [...textLines(content)].flatMap(({ text }) => splitEntry(text ?? "")?.stored ?? []);
  const isEmpty = (text: string): boolean => text === "";
  const isValue = (text: string): boolean => /^\s/.test(text) && !isLocked(text) && hashLikeFault(text) === undefined;
  if (stored.some(isValue) && stored.every((text) => isEmpty(text) || isValue(text))) {
    throw new InvalidFileError("is not a password file: no line is user:hash");
  }
}
