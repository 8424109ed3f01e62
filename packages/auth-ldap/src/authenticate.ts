import { randomBytes } from "node:crypto";
import type { AuthResult, BasicCredentials, Identity } from "@registry-gate/auth";
import { canonicalDN, foldValue, writeCanonical } from "@registry-gate/auth-kit";
import type { LoginDirectory } from "./directory/login-directory.ts";
import type { Group } from "./groups/group.ts";
import { groupAttributes, groupsInEntry, groupsOf } from "./groups/groups-of.ts";
import { collectSkippedValues, type SkippedValue } from "./groups/skipped-values.ts";
import { type BindVerdict, judgeUserBind } from "./outcomes.ts";
import type { Session } from "./protocol/session.ts";
import type { GroupSettings, Settings } from "./settings.ts";
import { disabledAttributes, isDisabled } from "./user/disabled-account.ts";
import type { Domains } from "./user/domains.ts";
import { type Finding, findUser, readUser, type User } from "./user/find-user.ts";
import { passwordChangeAttribute, passwordRevision } from "./user/password-change.ts";

/** Everything that a login needs. */
export interface LoginContext {
  /** The id of the backend. */
  readonly backend: string;
  readonly settings: Settings;
  readonly directory: LoginDirectory;
  readonly domains: Domains;
  /** Receives the values that were skipped while the groups of a user were read. */
  readonly reportSkipped: (username: string, skipped: readonly SkippedValue[]) => void;
}

const rejected = (reason: string): AuthResult => ({ status: "rejected", reason });

/**
 * A login from beginning to end.
 *
 * @throws {DirectoryError} when the directory cannot decide the login.
 */
export async function authenticate(
  { username: typed, password }: BasicCredentials,
  context: LoginContext,
  signal: AbortSignal,
): Promise<AuthResult> {
  // 1. Reject what a directory must not see: a bind with an empty password succeeds as an anonymous one.
  const fault = faultOfCredentials(typed, password);
  if (fault !== undefined) return rejected(fault);

  // 2. Search for the entry. Without one, do as much work as for a wrong password.
  const finding = await find(typed, context, signal);
  if (finding.dn === undefined) {
    await bindNonexistentUser(context, signal);
    return rejected(finding.reason);
  }

  // 3. Bind once with the password: directories count failures.
  const { verdict, own } = await signIn(finding.dn, password, typed, context, signal);
  if (!verdict.accepted) return rejected(verdict.reason);
  const user = own?.user ?? finding.user ?? (await readBack(finding.dn, typed, context, signal));
  if ("reason" in user) return rejected(user.reason);
  if (isDisabled(user.entry, context.settings.user)) return rejected("the account is disabled");

  // 4. Read the groups that the service account sees.
  const groups =
    own?.groups ??
    userGroupsInEntry(user, context.settings.groups) ??
    (await context.directory.read(signal, (session) => readGroups(session, user, context, signal)));
  const { requiredGroup } = context.settings;
  context.reportSkipped(user.username, groups.skipped);
  if (requiredGroup !== undefined && !isIn(groups.groups, requiredGroup))
    return rejected("is not in the required group");
  return { status: "authenticated", identity: identityOf(user, groups, context) };
}

/** Far longer than real names and passwords. */
const LONGEST = { username: 512, password: 4096 };

/** Why no directory could accept this name and password. */
export function faultOfCredentials(username: string, password: string): string | undefined {
  if (username.trim() === "") return "the user name is empty";
  if (password === "") return "the password is empty";
  if (/[\p{Cc}\p{Surrogate}]/u.test(username)) return "the user name contains invalid characters";
  if (/[\0\p{Surrogate}]/u.test(password)) return "the password contains invalid characters";
  if (username.length > LONGEST.username) return "the user name is too long";
  return password.length > LONGEST.password ? "the password is too long" : undefined;
}

/** The attributes to read from a user's entry. */
export function attributesFor({ user, groups }: Settings): readonly string[] {
  return [...groupAttributes(groups), ...disabledAttributes(user), passwordChangeAttribute(user)];
}

/** The DN to sign in with, and the user where there has been a search. */
async function find(
  typed: string,
  { settings, directory, domains }: LoginContext,
  signal: AbortSignal,
): Promise<{ dn: string; user?: User } | { dn: undefined; reason: string }> {
  const { by } = settings.user;
  if (by.kind === "template") return { dn: by.template(typed) };
  const finding = await directory.read(signal, (session) =>
    findUser(session, typed, settings.user, attributesFor(settings), domains, signal),
  );
  return finding.user === undefined
    ? { dn: undefined, reason: finding.reason }
    : { dn: finding.user.dn, user: finding.user };
}

interface SignedIn {
  readonly verdict: BindVerdict;
  /** What the user has read, where the service account does not. */
  readonly own?: { readonly user: User | Refusal; readonly groups: UserGroups };
}

type Refusal = Extract<Finding, { user: undefined }>;

function signIn(
  dn: string,
  password: string,
  typed: string,
  context: LoginContext,
  signal: AbortSignal,
): Promise<SignedIn> {
  const { user: settings } = context.settings;
  return context.directory.asUser(signal, async (session) => {
    const verdict = judgeUserBind(await session.bind(dn, password, signal, !settings.activeDirectory));
    if (!verdict.accepted || !settings.readsOwnEntry) return { verdict };
    const finding = await readUser(session, dn, typed, settings, attributesFor(context.settings), signal);
    if (finding.user === undefined) return { verdict, own: { user: finding, groups: noGroups } };
    const groups = await readGroups(session, finding.user, context, signal);
    return { verdict, own: { user: finding.user, groups } };
  });
}

/** Binds as an entry that does not exist, so that the response time does not reveal which users exist. */
async function bindNonexistentUser({ settings, directory }: LoginContext, signal: AbortSignal): Promise<void> {
  const { by, activeDirectory } = settings.user;
  const base = by.kind === "template" ? "" : `,${by.base}`;
  const dn = `cn=${randomBytes(12).toString("hex")}${base}`;
  const password = randomBytes(12).toString("base64url");
  await directory.asUser(signal, (session) => session.bind(dn, password, signal, !activeDirectory));
}

async function readBack(
  dn: string,
  typed: string,
  { settings, directory }: LoginContext,
  signal: AbortSignal,
): Promise<User | Refusal> {
  const finding = await directory.read(signal, (session) =>
    readUser(session, dn, typed, settings.user, attributesFor(settings), signal),
  );
  return finding.user ?? finding;
}

/** The groups of a user, and the values that were skipped while reading them. */
export interface UserGroups {
  readonly groups: readonly Group[];
  readonly skipped: readonly SkippedValue[];
  /** Names that the skipped values may mean. */
  readonly possibleNames: readonly string[];
}

const noGroups: UserGroups = { groups: [], skipped: [], possibleNames: [] };

async function readGroups(
  session: Session,
  user: User,
  { settings }: LoginContext,
  signal: AbortSignal,
): Promise<UserGroups> {
  return readUserGroups(session, user, settings.groups, signal);
}

/** @throws {DirectoryError} */
export async function readUserGroups(
  session: Session,
  user: User,
  settings: GroupSettings,
  signal: AbortSignal,
): Promise<UserGroups> {
  const skipped = collectSkippedValues();
  return userGroups(await groupsOf(session, user, settings, signal, skipped), skipped);
}

/**
 * The groups of a user where the entry names all of them, so that no connection is needed.
 *
 * @returns `undefined` where the directory has to be asked.
 */
function userGroupsInEntry(user: User, settings: GroupSettings): UserGroups | undefined {
  const skipped = collectSkippedValues();
  const groups = groupsInEntry(user, settings, skipped);
  return groups && userGroups(groups, skipped);
}

function userGroups(groups: readonly Group[], skipped: ReturnType<typeof collectSkippedValues>): UserGroups {
  return { groups, skipped: skipped.list(), possibleNames: skipped.possibleNames() };
}

/** Whether one of the groups is called so, by name or by DN, as the directory compares names. */
export function isIn(groups: readonly Group[], required: string): boolean {
  const name = foldValue(required.normalize("NFC"));
  const dn = canonicalDN(required);
  return groups.some((group) => group.names.some((own) => foldValue(own) === name) || group.canonicalDN === dn);
}

/** Rules can name a group by its name and by its DN. */
export function identityOf(
  user: User,
  { groups, possibleNames }: UserGroups,
  { settings, backend }: Pick<LoginContext, "settings" | "backend">,
): Identity {
  const subject = writeCanonical(user.parsedDN);
  const names = groups.flatMap((group) => [...group.names, group.canonicalDN]);
  const certain = new Set(names);
  const possible = [...groups.flatMap((group) => group.ambiguousNames), ...possibleNames];
  const ambiguous = new Set(possible.filter((name) => !certain.has(name)));
  const username = usernameFor(user, settings);
  const revision = passwordRevision(user.entry, settings.user);
  return {
    ...{ subject, username, groups: [...certain], nameMatching: "folded", backend },
    ...(ambiguous.size > 0 && { ambiguousGroups: [...ambiguous] }),
    ...(revision !== undefined && { revision }),
  };
}

/** The name by which rules, `${username}` and the log know a user. */
export function usernameFor({ username }: User, { user }: Settings): string {
  return user.lowerCase ? username.toLowerCase().normalize("NFC") : username;
}
