import { GROUPS } from "../bounds.ts";
import { type DirectoryError, invalidContent } from "../directory-error.ts";
import { anything } from "../filter/filter.ts";
import { allEntries } from "../outcomes.ts";
import type { Entry } from "../protocol/entry.ts";
import type { Session } from "../protocol/session.ts";
import { ignoreSkippedValues, type SkippedValues } from "./skipped-values.ts";

/**
 * All values of an attribute, of which Active Directory gives some 1,500 at a time under a name such as
 * `memberOf;range=0-1499` ([MS-ADTS] section 3.1.1.3.1.3.3).
 *
 * @throws {DirectoryError} when the directory does not give them all, or gives more than anybody has groups.
 */
export async function rangedValues(
  session: Session,
  entry: Entry,
  attribute: string,
  signal: AbortSignal,
  skipped: SkippedValues = ignoreSkippedValues,
): Promise<readonly string[]> {
  const values: string[] = [];
  let count = 0;
  const add = (current: Entry, name: string): number => {
    const { length } = current.bytes(name);
    count += length;
    if (count > GROUPS.count) throw tooMany(attribute);
    for (const value of readableValues(current, name, attribute, skipped)) values.push(value);
    return length;
  };
  add(entry, attribute);
  for (let current = entry; ; ) {
    const range = rangeIn(current, attribute);
    if (range === undefined) return values;
    // A range begins where the one before has ended, so that each makes progress.
    if (range.from !== count) throw incomplete(attribute);
    const length = add(current, range.name);
    if (range.last) return values;
    if (length === 0) throw incomplete(attribute);
    const wanted = `${attribute};range=${count}-*`;
    const query = { base: entry.dn, scope: "base", filter: anything, attributes: [wanted] } as const;
    const [next] = allEntries(await session.search(query, signal), `more values of ${attribute}`);
    if (next === undefined || rangeIn(next, attribute) === undefined) throw incomplete(attribute);
    current = next;
  }
}

/**
 * All values of an attribute that the entry itself has.
 *
 * @returns `undefined` where the directory has to be asked for more.
 * @throws {DirectoryError} when there are more than anybody has groups.
 */
export function wholeValues(entry: Entry, attribute: string, skipped: SkippedValues): readonly string[] | undefined {
  if (rangeIn(entry, attribute) !== undefined) return undefined;
  if (entry.bytes(attribute).length > GROUPS.count) throw tooMany(attribute);
  return readableValues(entry, attribute, attribute, skipped);
}

function readableValues(entry: Entry, name: string, attribute: string, skipped: SkippedValues): readonly string[] {
  const texts = entry.text(name);
  for (let left = entry.bytes(name).length - texts.length; left > 0; left--) skipped.add(attribute, "is not UTF-8");
  return texts;
}

function tooMany(attribute: string): DirectoryError {
  return invalidContent(`${attribute} has more than ${GROUPS.count} values`);
}

function rangeIn(entry: Entry, attribute: string): { name: string; from: number; last: boolean } | undefined {
  const prefix = `${attribute.toLowerCase()};range=`;
  for (const name of entry.names) {
    const [, from, to] = name.startsWith(prefix) ? (/^(\d+)-(\d+|\*)$/.exec(name.slice(prefix.length)) ?? []) : [];
    if (from !== undefined) return { name, from: Number(from), last: to === "*" };
  }
  return undefined;
}

function incomplete(attribute: string): DirectoryError {
  return invalidContent(`the server does not give all values of ${attribute}`);
}
