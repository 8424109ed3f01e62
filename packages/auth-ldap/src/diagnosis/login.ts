import type { DiagnosisLogin, Identity } from "@registry-gate/auth";
import {
  attributesFor,
  faultOfCredentials,
  identityOf,
  isIn,
  readUserGroups,
  type UserGroups,
  usernameFor,
} from "../authenticate.ts";
import { createLoginBudget } from "../directory/login-directory.ts";
import type { Group } from "../groups/group.ts";
import { judgeUserBind } from "../outcomes.ts";
import type { Prepared } from "../prepare.ts";
import type { Session } from "../protocol/session.ts";
import { describeSkippedValue } from "../report-skipped-values.ts";
import type { GroupSettings, Settings } from "../settings.ts";
import type { ServerAddress } from "../url.ts";
import { isDisabled } from "../user/disabled-account.ts";
import { createDomains } from "../user/domains.ts";
import { type Finding, findUser, readUser, type User } from "../user/find-user.ts";
import { attempt, type Found, type Steps } from "./attempt.ts";
import { connect } from "./reach.ts";

/** The steps of a login, in the order in which a login takes them. */
export async function* tryLogin(
  { settings, context }: Prepared,
  address: ServerAddress,
  service: Session,
  { username: typed, password }: DiagnosisLogin,
  signal: AbortSignal,
): Steps<true> {
  const { by, readsOwnEntry } = settings.user;
  const fault = faultOfCredentials(typed, password ?? "nobody is signed in");
  if (fault !== undefined) {
    yield* attempt("credentials", service.server, async () => ({ refusal: fault }));
    return undefined;
  }
  const searched = by.kind === "template" ? undefined : yield* search(settings, service, typed, signal);
  const dn = by.kind === "template" ? by.template(typed) : searched?.dn;
  if (dn === undefined) return undefined;
  // Without a password there is nobody who could read an entry that its owner alone may read.
  if (password === undefined && readsOwnEntry) return undefined;
  const own = password === undefined ? undefined : yield* connectAsUser(settings, address, dn, password, signal);
  if (password !== undefined && own === undefined) return undefined;
  try {
    const reader = readsOwnEntry ? (own ?? service) : service;
    const user = searched ?? (yield* readEntry(settings, reader, dn, typed, signal));
    if (user === undefined) return undefined;
    const groups = yield* readGroups(settings, reader, user, signal);
    if (groups === undefined) return undefined;
    const identity = identityOf(user, groups, { settings, backend: context.id });
    return yield* judgeAccount(settings, reader, user, groups, identity);
  } finally {
    own?.close();
  }
}

/** A second connection, bound as the user. Yields connection steps only where they fail. */
async function* connectAsUser(
  settings: Settings,
  address: ServerAddress,
  dn: string,
  password: string,
  signal: AbortSignal,
): Steps<Session> {
  const connecting = connect(settings.directory, address, signal);
  let told = await connecting.next();
  for (; told.done !== true; told = await connecting.next()) if (told.value.outcome === "failed") yield told.value;
  const session = told.value;
  if (session === undefined) return undefined;
  const bound = yield* attempt<true>("user-bind", session.server, async () => {
    const verdict = judgeUserBind(await session.bind(dn, password, signal, !settings.user.activeDirectory));
    return verdict.accepted ? { value: true, details: { dn } } : { refusal: verdict.reason };
  });
  if (bound === true) return session;
  session.close();
  return undefined;
}

async function* search(settings: Settings, session: Session, typed: string, signal: AbortSignal): Steps<User> {
  return yield* attempt("search", session.server, async () =>
    entryFound(
      settings,
      await findUser(session, typed, settings.user, attributesFor(settings), createDomains(), signal),
    ),
  );
}

async function* readEntry(
  settings: Settings,
  session: Session,
  dn: string,
  typed: string,
  signal: AbortSignal,
): Steps<User> {
  return yield* attempt("entry", session.server, async () =>
    entryFound(settings, await readUser(session, dn, typed, settings.user, attributesFor(settings), signal)),
  );
}

function entryFound(settings: Settings, finding: Finding): Found<User> {
  if (finding.user === undefined) return { refusal: finding.reason };
  const { user } = finding;
  return { value: user, details: { dn: user.dn, username: usernameFor(user, settings) } };
}

/** Groups that the user is in directly, and those that these are in, each as a step of its own where they can be told apart. */
async function* readGroups(
  { groups: settings, directory: { timeout } }: Settings,
  session: Session,
  user: User,
  signal: AbortSignal,
): Steps<UserGroups> {
  const { route, nested } = settings;
  const read = (chosen: GroupSettings): Promise<UserGroups> =>
    readUserGroups(createLoginBudget(timeout).over(session), user, chosen, signal);
  const { server } = session;
  if (route.kind === "token") {
    const way = nested ? "tokenGroups" : "member and primaryGroupID";
    return yield* listGroups("groups", server, way, () => read(settings));
  }
  const way = route.kind === "memberOf" ? route.attribute : "groups.searchFilter";
  const direct = yield* listGroups("groups", server, way, () => read({ ...settings, nested: false }));
  if (direct === undefined || !nested) return direct;
  return yield* listGroups("nested-groups", server, "a search a level", () => read(settings), direct.groups);
}

/** @param known Groups that have been listed before. */
async function* listGroups(
  step: string,
  server: string,
  route: string,
  read: () => Promise<UserGroups>,
  known: readonly Group[] = [],
): Steps<UserGroups> {
  return yield* attempt(step, server, async () => {
    const found = await read();
    const before = new Set(known.map(({ canonicalDN }) => canonicalDN));
    const further = found.groups.filter(({ canonicalDN }) => !before.has(canonicalDN));
    const names = further.map(describeGroup);
    const details = { route, count: String(further.length), groups: names };
    const skipped = found.skipped.map(describeSkippedValue);
    return { value: found, details: skipped.length === 0 ? details : { ...details, skipped } };
  });
}

function describeGroup({ names, ambiguousNames, canonicalDN }: Group): string {
  const ambiguous = ambiguousNames.map((name) => ` (not called ${name}: another entry may be meant)`);
  return [...names, canonicalDN].join(" = ") + ambiguous.join("");
}

/** The checks that the gate makes itself. */
async function* judgeAccount(
  { user: settings, requiredGroup }: Settings,
  session: Session,
  user: User,
  groups: UserGroups,
  identity: Identity,
): Steps<true> {
  const judge = async (): Promise<Found<true>> => {
    if (isDisabled(user.entry, settings)) return { refusal: "the account is disabled" };
    if (requiredGroup === undefined) return { value: true, details: {} };
    if (!isIn(groups.groups, requiredGroup)) return { refusal: "is not in the required group" };
    return { value: true, details: { requiredGroup } };
  };
  return yield* attempt("account", session.server, judge, "login", identity);
}
