import { atOnce, InvalidFileError, readGroupName, readText, type Steps } from "@registry-gate/auth-kit";
import { type Note, textLines } from "./text-lines.ts";

/** The groups of an Apache group file. */
export interface GroupFile {
  /** For each user, in Normalization Form C, the groups in the order of the file. */
  readonly groupsOf: GroupsOfUsers;
  /** What a line that cannot be used may have meant. Rules that deny count it: they must not fail by a slip. */
  readonly possibleGroupsOf: GroupsOfUsers;
  /** Every group that the file names. */
  readonly names: ReadonlySet<string>;
  /** Who stands where, for those lines that are used. */
  readonly members: readonly Member[];
  readonly faults: readonly Note[];
}

export type GroupsOfUsers = ReadonlyMap<string, readonly string[]>;

export interface Member {
  readonly line: number;
  readonly user: string;
}

/** A name in quotes, in which a backslash makes the next character literal, or one without white space. */
const WORD = /"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'|([^\s"']\S*)|(\S+)/gu;
/** What follows the name in a line of `/etc/group`: a password, a number, and names between commas. */
const SYSTEM_GROUP = /^[^\s:]*:\d+:[^\s:]*$/;

/**
 * Reads an Apache group file: lines `group: user user`. Several lines for one group add up. A user whose name has white
 * space in it is written in quotes.
 *
 * @throws {InvalidFileError} when the file as a whole is no group file.
 */
export function parseGroupFile(content: Buffer): GroupFile {
  return atOnce(groupFileSteps(content));
}

/** The same, in a step for each line, and for each user. */
export function* groupFileSteps(content: Buffer): Steps<GroupFile> {
  const certain = membership();
  const possible = membership();
  const names = new Set<string>();
  const members: Member[] = [];
  const faults: Note[] = [];
  let malformedLines = 0;
  let wellFormedLines = 0;

  for (const { number: line, text } of textLines(content)) {
    yield;
    const fault = (message: string): void => void faults.push({ line, message });
    const colon = text?.indexOf(":") ?? -1;
    if (text === undefined || colon === -1) {
      malformedLines++;
      fault(text === undefined ? "the line is not UTF-8" : "the line has no colon after a group");
      continue;
    }
    wellFormedLines++;
    const list = text.slice(colon + 1);
    const group = readGroupName(text.slice(0, colon));
    const users = words(list);
    const unusable = unusableLine(group.fault, list, users);
    if (group.name === undefined || users === undefined || unusable !== undefined) {
      if (unusable !== undefined) fault(unusable);
      const meant = group.name === undefined ? group.possibleNames : [group.name];
      for (const user of possibleUsers(list)) for (const name of meant) possible.add(user, name);
      continue;
    }
    names.add(group.name);
    for (const word of users) {
      yield;
      const user = readText(word);
      if (user.text === undefined) fault(`the name of a user ${user.fault}`);
      else {
        certain.add(user.text, group.name);
        members.push({ line, user: user.text });
        if (word.includes(",")) for (const part of possibleUsers(word)) possible.add(part, group.name);
      }
    }
  }
  if (malformedLines > 0 && wellFormedLines === 0)
    throw new InvalidFileError("is not a group file: no line is group: user user");
  const groupsOf = yield* certain.ofUsers();
  return { groupsOf, possibleGroupsOf: yield* possible.ofUsers(), names, members, faults };
}

function unusableLine(groupFault: string | undefined, list: string, users: unknown): string | undefined {
  if (groupFault !== undefined) return `the name of the group ${groupFault}`;
  if (SYSTEM_GROUP.test(list)) return "this is a line of /etc/group: write group: user user";
  return users === undefined ? "a quote is not closed" : undefined;
}

interface Membership {
  add(user: string, group: string): void;
  ofUsers(): Steps<GroupsOfUsers>;
}

function membership(): Membership {
  const groupsOf = new Map<string, Set<string>>();
  return {
    add(user, group) {
      const groups = groupsOf.get(user);
      if (groups === undefined) groupsOf.set(user, new Set([group]));
      else groups.add(group);
    },
    *ofUsers() {
      const lists = new Map<string, readonly string[]>();
      for (const [user, groups] of groupsOf) {
        yield;
        lists.set(user, [...groups]);
      }
      return lists;
    },
  };
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

/** Whoever can have been meant by a list that somebody wrote otherwise. */
function possibleUsers(list: string): readonly string[] {
  return list.split(/[\s,:"']+/).flatMap((word) => readText(word).text ?? []);
}
