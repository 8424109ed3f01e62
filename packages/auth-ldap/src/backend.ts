import { resolve } from "node:path";
import { type AuthBackend, type BackendContext, InvalidOptionsError, type Logger } from "@registry-gate/auth";
import { authenticate } from "./authenticate.ts";
import { followFiles } from "./connect/followed-files.ts";
import { openTlsIdentity } from "./connect/tls-identity.ts";
import { openDirectory, type ServiceAccount } from "./directory/directory.ts";
import type { LdapOptions } from "./options.ts";
import { unavailable } from "./outcomes.ts";
import { requireOptions } from "./schema.ts";
import type { Settings } from "./settings.ts";
import { settle } from "./settle.ts";
import { createDomains } from "./user/domains.ts";

const ignore = (): void => {};
const SILENT: Logger = { debug: ignore, info: ignore, warn: ignore, error: ignore };

/** Everything that the options stand for, short of a connection. */
export interface Prepared {
  readonly context: BackendContext;
  readonly settings: Settings;
  account(): ServiceAccount | undefined;
  /** `listener` is called when the password of the service account has changed. */
  onAccountChange(listener: () => void): void;
  close(): void;
}

/**
 * Reads options and the files that they name.
 *
 * @throws {InvalidOptionsError} with every fault.
 */
export async function prepare(options: unknown, given: Partial<BackendContext>): Promise<Prepared> {
  const context: BackendContext = {
    id: given.id ?? "ldap",
    baseDirectory: given.baseDirectory ?? process.cwd(),
    log: given.log ?? SILENT,
  };
  const checked = requireOptions(options);
  const settled = settle(checked);
  const { bindDN, bindPassword, bindPasswordFile } = checked;
  const absolute = (path: string | undefined): string | undefined =>
    path === undefined ? undefined : resolve(context.baseDirectory, path);
  let changed = ignore;
  const passwordPath = absolute(bindPasswordFile);
  const opening = await Promise.allSettled([
    openTlsIdentity(
      {
        caCert: absolute(checked.caCert),
        clientCert: absolute(checked.clientCert),
        clientKey: absolute(checked.clientKey),
      },
      context.log,
    ),
    followFiles({
      files: passwordPath === undefined ? [] : [{ option: "bindPasswordFile", path: passwordPath }],
      parse: ([content]) => (content === undefined ? bindPassword : readPassword(content)),
      log: context.log,
      onChange: () => changed(),
    }),
  ]);
  const [identity, password] = opening;
  if (identity.status === "rejected" || password.status === "rejected") {
    for (const opened of opening) if (opened.status === "fulfilled") opened.value.close();
    throw joined(opening.flatMap((opened) => (opened.status === "rejected" ? [opened.reason] : [])));
  }
  const { connect } = settled.directory;
  return {
    context,
    settings: {
      ...settled,
      directory: {
        ...settled.directory,
        connect: { ...connect, secureContext: () => identity.value.current() },
      },
    },
    account() {
      const secret = password.value.current();
      return bindDN === undefined || secret === undefined ? undefined : { dn: bindDN, password: secret };
    },
    onAccountChange(listener) {
      changed = listener;
    },
    close() {
      identity.value.close();
      password.value.close();
    },
  };
}

/**
 * Makes a backend of an LDAP directory or an Active Directory. Nothing is connected before the first login.
 *
 * The subject of an identity is the canonical DN of the user's entry. Its groups are named twice: by their names, and
 * by their canonical DNs.
 *
 * @param context What is left out of it has defaults: the id `ldap`, the current directory, and no log.
 * @throws {InvalidOptionsError} when the options are wrong, or a file cannot be read at the start.
 */
export async function ldapBackend(options: LdapOptions, context: Partial<BackendContext> = {}): Promise<AuthBackend> {
  const prepared = await prepare(options, context);
  const { settings } = prepared;
  const { id, log } = prepared.context;
  const directory = openDirectory(settings.directory, () => prepared.account(), log);
  prepared.onAccountChange(() => directory.accountChanged());
  const login = { backend: id, settings, directory, domains: createDomains() };
  return {
    id,
    async authenticate({ credentials, signal }) {
      if (credentials?.scheme !== "basic") return { status: "abstained" };
      try {
        return await authenticate(credentials, login, signal);
      } catch (error) {
        throw unavailable(id, error);
      }
    },
    async check(signal) {
      try {
        await directory.check(signal);
      } catch (error) {
        throw unavailable(id, error);
      }
    },
    async close() {
      directory.close();
      prepared.close();
    },
  };
}

function readPassword(content: Buffer): string {
  const password = content.toString("utf8").replace(/\r?\n$/, "");
  if (password !== "" && !/[\0\r\n]/.test(password)) return password;
  const message = password === "" ? "is empty" : "holds more than one line";
  throw new InvalidOptionsError([{ path: ["bindPasswordFile"], message }]);
}

function joined(reasons: readonly unknown[]): InvalidOptionsError {
  const faults = reasons.flatMap((reason) => {
    if (reason instanceof InvalidOptionsError) return reason.faults;
    throw reason;
  });
  return new InvalidOptionsError(faults, { cause: reasons[0] });
}
