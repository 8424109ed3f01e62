import type { BackendContext } from "@registry-gate/auth";
import { attributesFor, isIn, type LoginContext } from "./authenticate.ts";
import { type Prepared, prepare } from "./backend.ts";
import { type ConnectStep, openSocket } from "./connect/open-socket.ts";
import { DirectoryFault, describeCause } from "./faults.ts";
import { anything } from "./filter/filter.ts";
import { groupsOf } from "./groups/groups-of.ts";
import { allEntries, judgeServiceBind, judgeUserBind } from "./outcomes.ts";
import { createSession, type Session } from "./protocol/session.ts";
import type { ServerAddress } from "./url.ts";
import { createDomains } from "./user/domains.ts";
import { findUser, readUser, type User } from "./user/find-user.ts";
import { isSwitchedOff } from "./user/switched-off.ts";

/** One step of a diagnosis, as soon as it is done. */
export interface DiagnosisStep {
  /** `account` says whether the account, found and signed in, would be let in. */
  readonly step: ConnectStep["step"] | "service-bind" | "search" | "user-bind" | "groups" | "account";
  /** The URL of the server. */
  readonly server: string;
  readonly outcome: "ok" | "failed";
  readonly milliseconds: number;
  /** What was found; with `failed`, a `reason`. Never a password. */
  readonly details: Readonly<Record<string, string | readonly string[]>>;
}

/** Whom to try. Without a user, the base of the search is looked at; without a password, nobody is signed in. */
export interface DiagnosisLogin {
  readonly user?: string;
  readonly password?: string;
}

type Details = DiagnosisStep["details"];

/**
 * Tries everything that a login needs, and tells each step: every server is reached and lets the service account in; on
 * the first that does, the user is searched for, signed in, and the groups are read. A step that fails ends what depends
 * on it.
 *
 * @param options As {@link LdapOptions}.
 * @throws {InvalidOptionsError} when the options are wrong; nothing else.
 */
export async function* diagnose(
  options: unknown,
  context: Partial<BackendContext>,
  login: DiagnosisLogin,
  signal: AbortSignal,
): AsyncGenerator<DiagnosisStep, void, void> {
  const prepared = await prepare(options, context);
  try {
    let tried = false;
    for (const address of prepared.settings.directory.addresses) {
      const reached = yield* reach(prepared, address, signal);
      if (reached === undefined) continue;
      try {
        if (!tried) yield* tryLogin(prepared, address, reached, login, signal);
        tried = true;
      } finally {
        reached.close();
      }
    }
  } finally {
    prepared.close();
  }
}

/** A generator of steps that may end with what it was all about. */
type Steps<T> = AsyncGenerator<DiagnosisStep, T | undefined, void>;

async function* attempt<T>(
  step: DiagnosisStep["step"],
  server: string,
  act: () => Promise<readonly [T, Details]>,
): Steps<T> {
  const start = performance.now();
  const took = (): number => performance.now() - start;
  try {
    const [value, details] = await act();
    yield { step, server, outcome: "ok", milliseconds: took(), details };
    return value;
  } catch (error) {
    const reason = error instanceof DirectoryFault ? error.message : describeCause(error);
    yield { step, server, outcome: "failed", milliseconds: took(), details: { reason } };
    return undefined;
  }
}

/** Connects, and signs in as the service account where there is one. */
async function* reach({ settings, account }: Prepared, address: ServerAddress, signal: AbortSignal): Steps<Session> {
  const session = yield* connect(settings.directory, address, signal, true);
  const service = account();
  if (session === undefined || service === undefined) return session;
  const bound = yield* attempt("service-bind", address.url, async () => {
    judgeServiceBind(await session.bind(service.dn, service.password, signal));
    return [true, { dn: service.dn }];
  });
  if (bound === true) return session;
  session.close();
  return undefined;
}

async function* connect(
  { connect: settings, timeout }: Prepared["settings"]["directory"],
  address: ServerAddress,
  signal: AbortSignal,
  told: boolean,
): Steps<Session> {
  const { url } = address;
  const steps: DiagnosisStep[] = [];
  const start = performance.now();
  const observe = ({ step, milliseconds, details }: ConnectStep): void => {
    if (told) steps.push({ step, server: url, outcome: "ok", milliseconds, details });
  };
  try {
    const socket = await openSocket(address, settings, signal, observe);
    yield* steps;
    return createSession(socket, url, timeout);
  } catch (error) {
    yield* steps;
    const done = steps.reduce((sum, { milliseconds }) => sum + milliseconds, 0);
    const reason = error instanceof DirectoryFault ? error.message : describeCause(error);
    const step = steps.length === 0 ? "connect" : address.ldaps || steps.length === 2 ? "tls" : "start-tls";
    const milliseconds = performance.now() - start - done;
    yield { step, server: url, outcome: "failed", milliseconds, details: { reason } };
    return undefined;
  }
}

async function* tryLogin(
  prepared: Prepared,
  address: ServerAddress,
  service: Session,
  { user: typed, password }: DiagnosisLogin,
  signal: AbortSignal,
): Steps<void> {
  const { settings } = prepared;
  const { by, readsItself } = settings.user;
  if (typed === undefined) {
    if (by.kind !== "template") yield* lookAtBase(service, address.url, by.base, signal);
    return;
  }
  const searched = by.kind === "template" ? undefined : yield* search(settings, service, address.url, typed, signal);
  const dn = by.kind === "template" ? by.template(typed) : searched?.dn;
  if (dn === undefined) return;
  const own = password === undefined ? undefined : yield* connect(settings.directory, address, signal, false);
  try {
    const accepted =
      password !== undefined && own !== undefined && (yield* bindUser(own, dn, password, settings.user, signal));
    if (readsItself && !accepted) return;
    const reader = readsItself && own !== undefined ? own : service;
    const user = searched ?? (yield* readEntry(settings, reader, dn, typed, signal));
    if (user !== undefined) yield* readGroups(settings, reader, user, signal);
  } finally {
    own?.close();
  }
}

async function* lookAtBase(session: Session, server: string, base: string, signal: AbortSignal): Steps<void> {
  yield* attempt("search", server, async () => {
    const query = { base, scope: "base", filter: anything, attributes: ["1.1"] } as const;
    const [entry] = allEntries(await session.search(query, signal), "searchBase");
    if (entry === undefined) throw new DirectoryFault("result", "searchBase is not there, or may not be read");
    return [undefined, { base: entry.dn }];
  });
}

type Settings = LoginContext["settings"];

async function* search(
  settings: Settings,
  session: Session,
  server: string,
  typed: string,
  signal: AbortSignal,
): Steps<User> {
  return yield* attempt("search", server, async () => {
    const finding = await findUser(session, typed, settings.user, attributesFor(settings), createDomains(), signal);
    if (finding.user === undefined) throw new DirectoryFault("result", finding.reason);
    return [finding.user, { dn: finding.user.dn, username: finding.user.username }];
  });
}

async function* readEntry(
  settings: Settings,
  session: Session,
  dn: string,
  typed: string,
  signal: AbortSignal,
): Steps<User> {
  return yield* attempt("search", session.server, async () => {
    const finding = await readUser(session, dn, typed, settings.user, attributesFor(settings), signal);
    if (finding.user === undefined) throw new DirectoryFault("result", finding.reason);
    return [finding.user, { dn: finding.user.dn, username: finding.user.username }];
  });
}

async function* bindUser(
  session: Session,
  dn: string,
  password: string,
  { activeDirectory }: Settings["user"],
  signal: AbortSignal,
): Steps<boolean> {
  const accepted = yield* attempt("user-bind", session.server, async () => {
    // It would be taken for an anonymous sign-in, and succeed.
    if (password === "") throw new DirectoryFault("result", "the password is empty");
    const verdict = judgeUserBind(await session.bind(dn, password, signal, !activeDirectory));
    if (!verdict.accepted) throw new DirectoryFault("result", verdict.reason);
    return [true, { dn }];
  });
  return accepted ?? false;
}

async function* readGroups(settings: Settings, session: Session, user: User, signal: AbortSignal): Steps<void> {
  const { route, nested } = settings.groups;
  const groups = yield* attempt("groups", session.server, async () => {
    const found = await groupsOf(session, user, settings.groups, signal);
    const way = route.kind === "memberOf" ? route.attribute : route.kind === "token" ? "tokenGroups" : "searchFilter";
    return [
      found,
      {
        route: route.kind === "token" && !nested ? "member" : way,
        nested: String(nested),
        names: found.flatMap(({ names }) => names),
        dns: found.map(({ canonicalDN }) => canonicalDN),
      },
    ];
  });
  if (groups === undefined) return;
  yield* attempt("account", session.server, async () => {
    if (isSwitchedOff(user.entry, settings.user)) throw new DirectoryFault("result", "the account is disabled");
    const { requiredGroup } = settings;
    if (requiredGroup === undefined) return [undefined, {}];
    if (!isIn(groups, requiredGroup)) throw new DirectoryFault("result", "is not in the required group");
    return [undefined, { requiredGroup }];
  });
}
