import type { Logger } from "@registry-gate/auth";
import { inTurns, type Steps } from "@registry-gate/auth-kit";
import { type FailureCost, failureTime } from "./equal-work.ts";
import type { GroupFile, Member } from "./group-file.ts";
import type { Note } from "./text-lines.ts";
import type { UserFile } from "./user-file.ts";

/** The users of a file, with what a failed login costs. */
export interface Users extends UserFile {
  readonly cost: FailureCost;
}

/** From how long on a failed login is worth a warning, in milliseconds. */
const EXPENSIVE = 1000;

/** Logs the faults and weaknesses of a password file. */
export function reportUsers({ hashes, faults, weak, cost }: Users, file: string, log: Logger): void {
  reportFaults(faults, file, log);
  if (hashes.size === 0) log.warn({ file }, "nobody can sign in: the file has no usable entry");
  if (weak.des.length > 0) {
    log.warn({ file, lines: weak.des }, "DES crypt looks at the first eight bytes of a password only");
  }
  if (weak.plain.length > 0) log.warn({ file, lines: weak.plain }, "passwords are kept in plain text");
  const milliseconds = Math.round(failureTime(cost));
  if (milliseconds >= EXPENSIVE) {
    log.warn(
      { file, milliseconds },
      "every failed login takes as long as checking the most expensive hash in the file",
    );
  }
}

/** Logs how many users are kept out because bcrypt cannot be loaded. */
export function reportBcrypt({ hashes }: UserFile, file: string, reason: string, log: Logger): void {
  const users = [...hashes.values()].filter(({ kind }) => kind === "bcrypt").length;
  if (users > 0) log.error({ file, users, reason }, `users with bcrypt hashes cannot sign in: ${reason}`);
}

/** Logs the faults of a group file. */
export function reportGroups({ faults }: GroupFile, file: string, log: Logger): void {
  reportFaults(faults, file, log);
}

/** How many faulty entries are logged one by one. */
const MOST_NOTES = 100;

function reportFaults(faults: readonly Note[], file: string, log: Logger): void {
  for (const { line, message } of faults.slice(0, MOST_NOTES)) {
    log.warn({ file, line }, `entry ignored: ${message}`);
  }
  const more = faults.length - MOST_NOTES;
  if (more > 0) log.warn({ file, entries: more }, "more entries ignored");
}

/**
 * Logs the members of groups who have no password, by line, and again only where there are others. The files are looked
 * through in turns; where they change meanwhile, only what they have become is reported.
 */
export function memberReporter(file: string, log: Logger): (groups: GroupFile, users: UserFile) => Promise<void> {
  let reported = new Set<string>();
  let latest = 0;
  return async ({ members }, { names }) => {
    const own = ++latest;
    const notes = await inTurns(unknownMembers(members, names));
    if (own !== latest) return;
    const before = reported;
    reported = new Set(notes.map(({ line, message }) => `${line} ${message}`));
    const fresh = notes.filter(({ line, message }) => !before.has(`${line} ${message}`));
    for (const { line, message } of fresh.slice(0, MOST_NOTES)) log.warn({ file, line }, message);
    const more = fresh.length - MOST_NOTES;
    if (more > 0) log.warn({ file, entries: more }, "further lines have members who are not in the password file");
  };
}

function* unknownMembers(members: readonly Member[], known: ReadonlySet<string>): Steps<Note[]> {
  const unknown: Member[] = [];
  for (const member of members) {
    yield;
    if (!known.has(member.user)) unknown.push(member);
  }
  return [...Map.groupBy(unknown, ({ line }) => line)].flatMap(([line, here]) => {
    const users = here.map(({ user }) => user);
    const joined = users.filter((user) => user.includes(","));
    const missing = users.filter((user) => !user.includes(","));
    return [
      ...(joined.length === 0
        ? []
        : [{ line, message: `${listed(joined)}: write blanks between users, and no commas` }]),
      ...(missing.length === 0 ? [] : [{ line, message: `not in the password file: ${listed(missing)}` }]),
    ];
  });
}

const MOST_NAMES = 5;

function listed(names: readonly string[]): string {
  const more = names.length - MOST_NAMES;
  return names.slice(0, MOST_NAMES).join(" ") + (more > 0 ? ` and ${more} more` : "");
}
