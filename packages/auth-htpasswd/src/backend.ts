import { resolve } from "node:path";
import {
  type AuthBackend,
  type AuthResult,
  type BackendContext,
  BackendUnavailableError,
  InvalidOptionsError,
  type Logger,
} from "@registry-gate/auth";
import { backendContext } from "@registry-gate/auth-kit";
import { bcryptFault } from "./bcrypt.ts";
import { type FailureCost, failureCost, failureTime, fillers } from "./equal-work.ts";
import { type GroupFile, parseGroupFile } from "./group-file.ts";
import { createHashChecks, type HashChecks } from "./hash-checks.ts";
import { createHasher } from "./hasher.ts";
import { type LiveFile, openLiveFile } from "./live-file.ts";
import { type HtpasswdOptions, parseOptions, withDefaults } from "./options.ts";
import type { Note } from "./text-lines.ts";
import { parseUserFile, type UserFile } from "./user-file.ts";
import { readName } from "./user-name.ts";

/** The users of a file, with what a failed login costs. */
interface Users extends UserFile {
  readonly cost: FailureCost;
}

const ABSTAINED: AuthResult = { status: "abstained" };
const WRONG: AuthResult = { status: "rejected", reason: "wrong password" };

/**
 * Makes a backend of a password file as Apache and nginx use it, and follows the file.
 *
 * It abstains from a user who is not in the file, after as much work as any wrong password costs. The subject of an
 * identity is the user's name.
 *
 * @param context What is left out of it has defaults: the id `htpasswd`, the current directory, and no log.
 * @throws {InvalidOptionsError} when the options are wrong, or a file cannot be read at the start.
 */
export function htpasswd(options: HtpasswdOptions, context: Partial<BackendContext> = {}): Promise<AuthBackend> {
  return htpasswdBy(createHashChecks(), options, context);
}

/** As {@link htpasswd}, by checks of the caller's making. */
export async function htpasswdBy(
  checks: HashChecks,
  options: HtpasswdOptions,
  context: Partial<BackendContext>,
): Promise<AuthBackend> {
  const { file, groupFile, allowPlaintext, hashConcurrency, hashQueue } = withDefaults(parseOptions(options));
  const { id, baseDirectory, log } = backendContext(context, "htpasswd");
  const listeners = new Set<() => void>();
  const onChange = (): void => {
    for (const listener of [...listeners]) listener();
  };

  const noBcrypt = await bcryptFault();
  const userPath = resolve(baseDirectory, file);
  const groupPath = groupFile === undefined ? undefined : resolve(baseDirectory, groupFile);
  const [users, groups] = await openBoth(
    openLiveFile<Users>({
      path: userPath,
      option: "file",
      parse(content) {
        const parsed = parseUserFile(content, allowPlaintext);
        const computed = [...parsed.hashes.values()].filter(({ kind }) => noBcrypt === undefined || kind !== "bcrypt");
        return { ...parsed, cost: failureCost(computed) };
      },
      report(parsed) {
        reportUsers(parsed, userPath, log);
        if (noBcrypt !== undefined) reportBcrypt(parsed, userPath, noBcrypt, log);
      },
      log,
      onChange,
    }),
    groupPath === undefined
      ? undefined
      : openLiveFile<GroupFile>({
          path: groupPath,
          option: "groupFile",
          parse: parseGroupFile,
          report: ({ faults }) => reportFaults(faults, groupPath, log),
          log,
          onChange,
        }),
  );
  const hasher = createHasher({ backend: id, concurrency: hashConcurrency, queue: hashQueue, checks });

  return {
    id,
    async authenticate({ credentials, client, signal }) {
      if (credentials?.scheme !== "basic") return ABSTAINED;
      const username = readName(credentials.username).name ?? credentials.username;
      for (;;) {
        const { hashes, cost } = users.current();
        const hash = hashes.get(username);
        if (noBcrypt !== undefined && hash?.kind === "bcrypt") throw new BackendUnavailableError(id, noBcrypt);
        const candidate = { own: hash, fillers: fillers(cost, hash) };
        const matches = await hasher.matches(candidate, credentials.password, { client, signal });
        // The file may have been read anew during the check, and the answer must be that of the new one.
        if (users.current().hashes.get(username)?.text !== hash?.text) continue;
        if (hash === undefined) return ABSTAINED;
        if (!matches) return WRONG;
        const memberOf = groups?.current().groupsOf.get(username) ?? [];
        return {
          status: "authenticated",
          identity: { subject: username, username, groups: memberOf, backend: id },
        };
      }
    },
    onChange(listener) {
      // A function of its own, so that one listener can be there twice and end each subscription for itself.
      const subscription = (): void => listener();
      listeners.add(subscription);
      return () => void listeners.delete(subscription);
    },
    async check(signal) {
      if (signal.aborted) throw new BackendUnavailableError(id, "the check was given up");
    },
    async close() {
      users.close();
      groups?.close();
      listeners.clear();
      await hasher.close();
    },
  };
}

/** Waits for both, so that every fault is told and nothing is left open where one of them fails. */
async function openBoth<U, G>(
  opening: Promise<LiveFile<U>>,
  openingGroups: Promise<LiveFile<G>> | undefined,
): Promise<readonly [LiveFile<U>, LiveFile<G> | undefined]> {
  const [users, groups] = await Promise.allSettled([opening, openingGroups]);
  if (users.status === "fulfilled" && groups.status === "fulfilled") return [users.value, groups.value];
  if (users.status === "fulfilled") users.value.close();
  if (groups.status === "fulfilled") groups.value?.close();
  const reasons: unknown[] = [users, groups].flatMap((outcome) =>
    outcome.status === "rejected" ? [outcome.reason] : [],
  );
  const faults = reasons.flatMap((reason) => {
    if (reason instanceof InvalidOptionsError) return reason.faults;
    throw reason;
  });
  throw new InvalidOptionsError(faults, { cause: reasons[0] });
}

/** From how long on a failed login is worth a warning, in milliseconds. */
const DEAR = 1000;

function reportUsers({ faults, weak, cost }: Users, file: string, log: Logger): void {
  reportFaults(faults, file, log);
  if (weak.des.length > 0) {
    log.warn({ file, lines: weak.des }, "DES crypt looks at the first eight bytes of a password only");
  }
  if (weak.plain.length > 0) log.warn({ file, lines: weak.plain }, "passwords are kept in plain text");
  const milliseconds = Math.round(failureTime(cost));
  if (milliseconds >= DEAR) {
    log.warn({ file, milliseconds }, "every failed login takes as long as the most expensive hash in the file");
  }
}

function reportBcrypt({ hashes }: Users, file: string, reason: string, log: Logger): void {
  const users = [...hashes.values()].filter(({ kind }) => kind === "bcrypt").length;
  if (users > 0) log.error({ file, users, reason }, `users with bcrypt hashes cannot sign in: ${reason}`);
}

/** How many entries are told of one by one. */
const MOST_FAULTS = 100;

function reportFaults(faults: readonly Note[], file: string, log: Logger): void {
  for (const { line, message } of faults.slice(0, MOST_FAULTS)) {
    log.warn({ file, line }, `this entry is not used: ${message}`);
  }
  const more = faults.length - MOST_FAULTS;
  if (more > 0) log.warn({ file, entries: more }, "further entries are not used");
}
