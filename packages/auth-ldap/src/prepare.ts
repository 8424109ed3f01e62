import { resolve } from "node:path";
import { type BackendContext, InvalidOptionsError } from "@registry-gate/auth";
import { backendContext, readSecret } from "@registry-gate/auth-kit";
import { followFiles } from "./connect/followed-files.ts";
import { openTlsIdentity } from "./connect/tls-identity.ts";
import type { ServiceAccount } from "./directory/directory.ts";
import { requireOptions } from "./schema.ts";
import type { Settings } from "./settings.ts";
import { settle } from "./settle.ts";

const ignore = (): void => {};

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
export async function prepare(options: unknown, given: unknown): Promise<Prepared> {
  const context = backendContext(given, "ldap");
  const checked = requireOptions(options);
  const settled = settle(checked);
  for (const { option, message } of settled.warnings) context.warn({ path: option.split("."), message });
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

function readPassword(content: Buffer): string {
  const { text, fault } = readSecret(content);
  if (text !== undefined) return text;
  throw new InvalidOptionsError([{ path: ["bindPasswordFile"], message: fault }]);
}

function joined(reasons: readonly unknown[]): InvalidOptionsError {
  const faults = reasons.flatMap((reason) => {
    if (reason instanceof InvalidOptionsError) return reason.faults;
    throw reason;
  });
  return new InvalidOptionsError(faults, { cause: reasons[0] });
}
