import { resolve } from "node:path";
import type { BackendContext } from "@registry-gate/auth";
import { backendContext, followFiles, openAll, parseSecret } from "@registry-gate/auth-kit";
import { openTlsIdentity } from "./connect/tls-identity.ts";
import type { ServiceAccount } from "./directory/directory.ts";
import { resolveOptions } from "./resolve-options.ts";
import { requireOptions } from "./schema.ts";
import type { Settings } from "./settings.ts";

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
  const resolved = resolveOptions(checked);
  for (const { option, message } of resolved.warnings) context.warn({ path: option.split("."), message });
  const { bindDN, bindPassword, bindPasswordFile } = checked;
  const absolute = (path: string | undefined): string | undefined =>
    path === undefined ? undefined : resolve(context.baseDirectory, path);
  let changed = ignore;
  const passwordPath = absolute(bindPasswordFile);
  const [identity, password] = await openAll([
    openTlsIdentity(
      {
        caCert: absolute(checked.caCert),
        clientCert: absolute(checked.clientCert),
        clientKey: absolute(checked.clientKey),
      },
      context.log,
    ),
    followFiles({
      files: passwordPath === undefined ? [] : [{ option: ["bindPasswordFile"], path: passwordPath }],
      parse: ([content]) => (content === undefined ? bindPassword : parseSecret(content)),
      log: context.log,
      onChange: () => changed(),
    }),
  ]);
  const { connect } = resolved.directory;
  return {
    context,
    settings: {
      ...resolved,
      directory: {
        ...resolved.directory,
        connect: { ...connect, secureContext: () => identity.current() },
      },
    },
    account() {
      const secret = password.current();
      return bindDN === undefined || secret === undefined ? undefined : { dn: bindDN, password: secret };
    },
    onAccountChange(listener) {
      changed = listener;
    },
    close() {
      identity.close();
      password.close();
    },
  };
}
