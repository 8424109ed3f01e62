import type { Identity } from "@registry-gate/auth";
import { canonicalDN, canonicalRDNs, type DN, endsWith, parseDN } from "@registry-gate/auth-kit";
import { attributesFor, identityOf, isIn, type LoginContext, readUserGroups } from "./authenticate.ts";
import { DirectoryError } from "./directory-error.ts";
import { isTooLong } from "./entry-dn.ts";
import { anything, type Filter } from "./filter/filter.ts";
import { fillTemplate } from "./filter/filter-template.ts";
import { forAnyName } from "./filter/for-any-name.ts";
import { allEntries, describeCode } from "./outcomes.ts";
import type { Session } from "./protocol/session.ts";
import type { UserSettings } from "./settings.ts";
import { accountFault, accountStateAttributes } from "./user/account-attributes.ts";
import { singleUser, type User } from "./user/find-user.ts";
import { USER_ACCOUNT } from "./user/login-name.ts";

/** Result codes for a base that names no entry: none is there, or none could be called so. */
const NO_ENTRY: ReadonlySet<number> = new Set([32, 34]);

/**
 * Reads the entry that a subject names, as it is now: whether a login could find it, whether its account is in force, and
 * the groups. Nobody is bound, so that it costs no attempt at a password.
 *
 * @returns `undefined` for a user who could not sign in any more, and for one whose name a login alone can tell: that has
 * several names of which none stands in the DN.
 * @throws {DirectoryError} when the directory cannot decide the login.
 */
export async function lookup(
  subject: string,
  context: LoginContext,
  signal: AbortSignal,
): Promise<Identity | undefined> {
  const { settings, directory } = context;
  const dn = isTooLong(subject) ? undefined : parseDN(subject);
  if (dn === undefined || !canBeFound(subject, dn, settings.user)) return undefined;
  return directory.read(signal, async (session) => {
    const user = await readSubject(session, subject, context, signal);
    if (user === undefined || accountFault(user.entry, settings.user) !== undefined) return undefined;
    const groups = await readUserGroups(session, user, settings.groups, signal);
    context.reportSkipped(user.username, groups.skipped);
    if (settings.requiredGroup !== undefined && !isIn(groups.groups, settings.requiredGroup)) return undefined;
    const identity = identityOf(user, groups, context);
    return identity.subject === subject ? identity : undefined;
  });
}

/** Whether the entry would be in the place where a login looks for it. */
function canBeFound(subject: string, dn: DN, { by }: UserSettings): boolean {
  if (by.kind === "template") {
    return dn.some((rdn) => rdn.some(({ hex, value }) => !hex && canonicalDN(by.template(value)) === subject));
  }
  const base = parseDN(by.base);
  if (base === undefined) return false;
  const [own, place] = [canonicalRDNs(dn), canonicalRDNs(base)];
  return endsWith(own, place) && (by.scope === "sub" || own.length === place.length + 1);
}

async function readSubject(
  session: Session,
  subject: string,
  { settings }: LoginContext,
  signal: AbortSignal,
): Promise<User | undefined> {
  const { usernameAttribute } = settings.user;
  const filter = filterOf(settings.user);
  if (filter === undefined) return undefined;
  const attributes = [
    ...new Set([usernameAttribute, ...attributesFor(settings), ...accountStateAttributes(settings.user)]),
  ];
  const result = await session.search({ base: subject, scope: "base", filter, attributes }, signal);
  if (NO_ENTRY.has(result.code)) return void (await requireBase(session, settings.user, signal));
  const entries = allEntries(result, "the user's entry");
  return entries.length === 0 ? undefined : singleUser(entries, "", usernameAttribute).user;
}

/** What a login's filter asks of an entry, whatever name is typed. */
function filterOf({ by }: UserSettings): Filter | undefined {
  if (by.kind === "template") return anything;
  if (by.kind === "login-name") return USER_ACCOUNT;
  const filter = fillTemplate(forAnyName(by.filter), {});
  if (typeof filter !== "boolean") return filter;
  return filter ? anything : undefined;
}

/** Where the place of all users is not there, a user who is not there either is no news of the user. */
async function requireBase(session: Session, { by }: UserSettings, signal: AbortSignal): Promise<void> {
  if (by.kind === "template") return;
  const { code } = await session.search(
    { base: by.base, scope: "base", filter: anything, attributes: ["1.1"] },
    signal,
  );
  if (code === 0) return;
  throw new DirectoryError("result", `searchBase does not exist, or cannot be read: ${describeCode(code)}`, { code });
}
