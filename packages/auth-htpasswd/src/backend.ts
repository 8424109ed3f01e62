import { resolve } from "node:path";
import {
  type AuthBackend,
  type AuthResult,
  type BackendContext,
  BackendUnavailableError,
  type ChangeListener,
  type Identity,
} from "@registry-gate/auth";
import {
  backendContext,
  followFile,
  inTurns,
  openAll,
  readText,
  revisionOf,
  type Steps,
  subscriptions,
} from "@registry-gate/auth-kit";
import { acceptGroups, acceptUsers } from "./accept-reload.ts";
import { bcryptFault } from "./bcrypt.ts";
import { onlyNewGroups, onlyNewPassword } from "./changes.ts";
import { dummyHashes, failureCost } from "./equal-work.ts";
import { type GroupFile, groupFileSteps } from "./group-file.ts";
import { createHashChecks, type HashChecks } from "./hash-checks.ts";
import type { HashKind, PasswordHash } from "./hash-format.ts";
import { createHasher } from "./hasher.ts";
import { type HtpasswdOptions, parseOptions, resolveOptions } from "./options.ts";
import { memberReporter, reportBcrypt, reportGroups, reportUsers, type Users } from "./report-files.ts";
import { userFileSteps } from "./user-file.ts";

const ABSTAINED: AuthResult = { status: "abstained" };
const WRONG: AuthResult = { status: "rejected", reason: "wrong password" };

/**
 * Makes a backend of a password file as Apache and nginx use it, and follows the file.
 *
 * It abstains from a user who is not in the file, after as much work as any wrong password costs. The subject of an
 * identity is the user's name.
 *
 * @param context Defaults: the id `htpasswd`, the current directory, and no log.
 * @throws {InvalidOptionsError} when the options are wrong, or a file cannot be read at the start.
 */
export function htpasswdBackend(options: HtpasswdOptions, context: Partial<BackendContext> = {}): Promise<AuthBackend> {
  return htpasswdBackendWith(createHashChecks(), options, context);
}

/** As {@link htpasswdBackend}, by checks of the caller's making. */
export async function htpasswdBackendWith(
  checks: HashChecks,
  options: HtpasswdOptions,
  context: Partial<BackendContext>,
): Promise<AuthBackend> {
  const { file, groupFile, allowPlaintext, hashConcurrency, hashQueue } = resolveOptions(parseOptions(options));
  const { id, baseDirectory, log, warn } = backendContext(context, "htpasswd");
  if (allowPlaintext) warn({ path: ["allowPlaintext"], message: "anyone who can read the file has every password" });
  const changes = subscriptions<Parameters<ChangeListener>>();

  const noBcrypt = await bcryptFault();
  const userPath = resolve(baseDirectory, file);
  const groupPath = groupFile === undefined ? undefined : resolve(baseDirectory, groupFile);
  const memberReport = groupPath === undefined ? undefined : memberReporter(groupPath, log);
  const reportMembers = async (): Promise<void> => {
    if (groups !== undefined) await memberReport?.(groups.current(), users.current());
  };
  // One file may change before the other has been read.
  let opened = false;
  const changed = (only: string | undefined): void => {
    if (!opened) return;
    changes.notify(only);
    void reportMembers();
  };
  // Found out before the new version comes into force, so that nothing is remembered of the old one once it has.
  let newPassword: string | undefined;
  let newGroups: string | undefined;

  function* usersOf(content: Buffer): Steps<Users> {
    const parsed = yield* userFileSteps(content, allowPlaintext);
    const isComputed = (kind: HashKind): boolean => noBcrypt === undefined || kind !== "bcrypt";
    return { ...parsed, cost: yield* failureCost(parsed.hashes.values(), isComputed) };
  }

  const [users, groups] = await openAll([
    followFile<Users>({
      path: userPath,
      option: ["file"],
      parse: (content) => inTurns(usersOf(content)),
      report(parsed) {
        reportUsers(parsed, userPath, log);
        if (noBcrypt !== undefined) reportBcrypt(parsed, userPath, noBcrypt, log);
      },
      async accept(next, current) {
        const accepted = acceptUsers(next, current);
        newPassword = await inTurns(onlyNewPassword(current, accepted));
        return accepted;
      },
      log,
      onChange: () => changed(newPassword),
    }),
    groupPath === undefined
      ? undefined
      : followFile<GroupFile>({
          path: groupPath,
          option: ["groupFile"],
          parse: (content) => inTurns(groupFileSteps(content)),
          async accept(next, current) {
            const accepted = acceptGroups(next, current, groupPath, log);
            newGroups = await inTurns(onlyNewGroups(current, accepted));
            return accepted;
          },
          report: (parsed) => reportGroups(parsed, groupPath, log),
          log,
          onChange: () => changed(newGroups),
        }),
  ]);
  opened = true;
  await reportMembers();
  const hasher = createHasher({ backend: id, concurrency: hashConcurrency, queue: hashQueue, checks });
  const signedIn = (username: string, hash: PasswordHash): Identity => ({
    ...identityOf(username, groups?.current(), id),
    revision: revisionOf("htpasswd", hash.text),
  });

  return {
    id,
    async authenticate({ credentials, client, signal }) {
      if (credentials?.scheme !== "basic") return ABSTAINED;
      const username = readText(credentials.username).text ?? credentials.username;
      for (;;) {
        const { hashes, cost } = users.current();
        const hash = hashes.get(username);
        if (noBcrypt !== undefined && hash?.kind === "bcrypt") throw new BackendUnavailableError(id, noBcrypt);
        const candidate = { own: hash, dummyHashes: dummyHashes(cost, hash) };
        const matches = await hasher.matches(candidate, credentials.password, { client, signal });
        // The file may have been reloaded during the check: the decision must be by the new version.
        if (users.current().hashes.get(username)?.text !== hash?.text) continue;
        if (hash === undefined) return ABSTAINED;
        if (!matches) return WRONG;
        return { status: "authenticated", identity: signedIn(username, hash) };
      }
    },
    async lookup(subject, signal) {
      if (signal.aborted) throw new BackendUnavailableError(id, "the lookup was aborted");
      const hash = users.current().hashes.get(subject);
      return hash && signedIn(subject, hash);
    },
    onChange: changes.add,
    roster() {
      const { names } = users.current();
      const groupFile = groups?.current();
      return {
        users: names,
        groups: groupFile?.names ?? new Set(),
        identityOf(username) {
          const { text: name } = readText(username);
          return name === undefined || !names.has(name) ? undefined : identityOf(name, groupFile, id);
        },
      };
    },
    async check(signal) {
      if (signal.aborted) throw new BackendUnavailableError(id, "the check was aborted");
    },
    async close() {
      users.close();
      groups?.close();
      changes.clear();
      await hasher.close();
    },
  };
}

function identityOf(username: string, groupFile: GroupFile | undefined, backend: string): Identity {
  const groups = groupFile?.groupsOf.get(username) ?? [];
  const possible = groupFile?.possibleGroupsOf.get(username)?.filter((group) => !groups.includes(group)) ?? [];
  const identity = { subject: username, username, groups, backend };
  return possible.length === 0 ? identity : { ...identity, ambiguousGroups: possible };
}
