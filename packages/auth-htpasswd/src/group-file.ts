import { type Note, NotThatFileError, textLines } from "./text-lines.ts";
import { readName } from "./user-name.ts";

/** The groups of an Apache group file. */
export interface GroupFile {
  /** For each user, in Normalization Form C, the groups in the order of the file. */
  readonly groupsOf: ReadonlyMap<string, readonly string[]>;
  readonly faults: readonly Note[];
}

/** A name in quotes, in which a backslash makes the next character literal, or one without white space. */
const WORD = /"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'|([^\s"']\S*)|(\S+)/gu;

/**
 * Reads an Apache group file: lines `group: user user`. Several lines for one group add up. A user whose name has white
 * space in it is written in quotes.
 *
 * @throws {NotThatFileError} when the file as a whole is no group file.
 */
export function parseGroupFile(content: Buffer): GroupFile {
  const members = new Map<string, Set<string>>();
  const faults: Note[] = [];
  let shapeless = 0;
  let shaped = 0;

  for (const { number: line, text } of textLines(content)) {
    const fault = (message: string): void => void faults.push({ line, message });
    const colon = text?.indexOf(":") ?? -1;
    if (text === undefined || colon === -1) {
      shapeless++;
      fault(text === undefined ? "the line is not UTF-8" : "the line has no colon after a group");
      continue;
    }
    shaped++;
    const group = readName(text.slice(0, colon).trim());
    if (group.name === undefined) {
      fault(`the name of the group ${group.fault}`);
      continue;
    }
    const users = words(text.slice(colon + 1));
    if (users === undefined) {
      fault("a quote is not closed");
      continue;
    }
    for (const word of users) {
      const user = readName(word);
      if (user.name === undefined) fault(`the name of a user ${user.fault}`);
      else add(members, user.name, group.name);
    }
  }
  if (shapeless > 0 && shaped === 0) throw new NotThatFileError("is not a group file: no line is group: user user");
  return { groupsOf: new Map([...members].map(([user, groups]) => [user, [...groups]])), faults };
}

function add(members: Map<string, Set<string>>, user: string, group: string): void {
  const groups = members.get(user);
  if (groups === undefined) members.set(user, new Set([group]));
  else groups.add(group);
}

/** The names in a list; `undefined` where a quote is left open. */
function words(list: string): readonly string[] | undefined {
  const names: string[] = [];
  for (const [, double, single, bare, open] of list.matchAll(WORD)) {
    if (open !== undefined) return undefined;
    const name = bare ?? (double ?? single ?? "").replace(/\\(.)/gu, "$1");
    if (name !== "") names.push(name);
  }
  return names;
}
