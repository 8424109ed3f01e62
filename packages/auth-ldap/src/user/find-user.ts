import { type DN, foldValue, isRobotName, isStreamSafe, writeCanonical } from "@registry-gate/auth-kit";
import { LONGEST } from "../bounds.ts";
import { DirectoryError } from "../directory-error.ts";
import { parseEntryDN } from "../entry-dn.ts";
import { anything } from "../filter/filter.ts";
import { fillTemplate } from "../filter/filter-template.ts";
import { allEntries, describeCode } from "../outcomes.ts";
import type { Entry } from "../protocol/entry.ts";
import type { SearchQuery } from "../protocol/requests.ts";
import type { Session } from "../protocol/session.ts";
import type { UserSettings } from "../settings.ts";
import type { Domains } from "./domains.ts";
import { domainOf, isPrincipal, type LoginName, loginNameFilter, parseLoginName } from "./login-name.ts";

/** The one entry that a name stands for. */
export interface User {
  readonly entry: Entry;
  /** As the server writes it. */
  readonly dn: string;
  readonly parsedDN: DN;
  /** The directory's own spelling. */
  readonly username: string;
}

export type Finding = { readonly user: User } | { readonly user: undefined; readonly reason: string };

const nobody = (reason: string): Finding => ({ user: undefined, reason });

/**
 * Searches for the entry of a user.
 *
 * @param attributes What else is wanted of the entry.
 * @throws {DirectoryError} when the directory did not respond in full.
 */
export async function findUser(
  session: Session,
  typed: string,
  { by, usernameAttribute }: UserSettings,
  attributes: readonly string[],
  domains: Domains,
  signal: AbortSignal,
): Promise<Finding> {
  if (by.kind === "template") throw new DirectoryError("result", "users are not searched for");
  const wanted = [...new Set([usernameAttribute, ...attributes])];
  const query = { base: by.base, scope: by.scope, attributes: wanted };
  if (by.kind === "search") {
    const filter = fillTemplate(by.filter, { username: typed });
    if (typeof filter === "boolean") return nobody("no such user");
    const entries = await searchFew(session, { ...query, filter, sizeLimit: 2 }, signal);
    return singleUser(entries, typed, usernameAttribute);
  }
  const name = parseLoginName(typed);
  if (name === undefined) return nobody("no such user");
  const filter = loginNameFilter(name);
  const extra = ["sAMAccountName", "userPrincipalName"];
  const entries = await searchFew(
    session,
    { ...query, attributes: [...new Set([...wanted, ...extra])], filter, sizeLimit: 10 },
    signal,
  );
  const meant: Entry[] = [];
  for (const entry of entries) if (await matchesLoginName(entry, name, domains, session, signal)) meant.push(entry);
  return singleUser(meant, typed, usernameAttribute);
}

/** Reads the entry of a user who is bound already. */
export async function readUser(
  session: Session,
  dn: string,
  typed: string,
  { usernameAttribute }: UserSettings,
  attributes: readonly string[],
  signal: AbortSignal,
): Promise<Finding> {
  const wanted = [...new Set([usernameAttribute, ...attributes])];
  const result = await session.search({ base: dn, scope: "base", filter: anything, attributes: wanted }, signal);
  const entries = allEntries(result, "the user's own entry");
  // The password was right, so the entry is there: it is only that nobody may read it.
  if (entries.length === 0) throw new DirectoryError("result", "the user's own entry cannot be read");
  return singleUser(entries, typed, usernameAttribute);
}

async function matchesLoginName(
  entry: Entry,
  name: LoginName,
  domains: Domains,
  session: Session,
  signal: AbortSignal,
): Promise<boolean> {
  const dn = parseEntryDN(entry.dn);
  if (name.kind === "account") return true;
  if (name.kind === "principal") return isPrincipal(entry, dn, name);
  return (await domains.find(name.domain, session, signal)) === writeCanonical(domainOf(dn));
}

/** A search in which more entries than the limit are as good as exactly so many. */
async function searchFew(
  session: Session,
  query: SearchQuery & { readonly sizeLimit: number },
  signal: AbortSignal,
): Promise<readonly Entry[]> {
  const result = await session.search(query, signal);
  if (result.code === 4 && result.entries.length >= query.sizeLimit) return result.entries;
  if (result.code === 32) {
    throw new DirectoryError("result", `searchBase does not exist, or cannot be read: ${describeCode(32)}`, {
      code: 32,
    });
  }
  return allEntries(result, "the user");
}

/** The user of the one entry that was found. */
export function singleUser(entries: readonly Entry[], typed: string, usernameAttribute: string): Finding {
  const [entry, ...others] = entries;
  if (entry === undefined) return nobody("no such user");
  if (others.length > 0) return nobody("several entries have this name");
  const parsedDN = parseEntryDN(entry.dn);
  const username = usernameOf(entry, parsedDN, typed, usernameAttribute);
  if (username === undefined) return nobody(`the entry has no single ${usernameAttribute} to be known by`);
  if (isRobotName(username)) return nobody("the entry has a name that is reserved for robots");
  return { user: { entry, dn: entry.dn, parsedDN, username } };
}

/**
 * The name by which everybody else knows the user: the one in the DN where it is there, else the only one, else the one
 * that was typed.
 */
function usernameOf(entry: Entry, dn: DN, typed: string, attribute: string): string | undefined {
  const written = entry.text(attribute);
  const inDN = dn[0]?.find(({ type, hex }) => !hex && type === attribute.toLowerCase())?.value;
  // Normalization is for what can be a name.
  if (!written.every(isShort) || (inDN !== undefined && !isShort(inDN))) return undefined;
  const [first, ...others] = written;
  const chosen = others.length === 0 ? first?.normalize("NFC") : oneOf(written, inDN?.normalize("NFC"), typed);
  return chosen === undefined || chosen === "" || /\p{Cc}/u.test(chosen) ? undefined : chosen;
}

/** The value that is the same name as the one in the DN, else as the one that was typed. */
function oneOf(written: readonly string[], naming: string | undefined, typed: string): string | undefined {
  const values = written.map((value) => value.normalize("NFC"));
  const same = (wanted: string): string | undefined => {
    const folded = foldValue(wanted);
    return values.find((value) => value === wanted) ?? values.find((value) => foldValue(value) === folded);
  };
  return (naming && same(naming)) ?? same(typed);
}

const isShort = (name: string): boolean => name.length <= LONGEST.name && isStreamSafe(name);
