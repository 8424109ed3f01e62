import type { AuthBackend, BackendContext, Identity } from "@registry-gate/auth";
import { authenticate } from "./authenticate.ts";
import { diagnose } from "./diagnosis/diagnose.ts";
import { openDirectory } from "./directory/directory.ts";
import { createLoginBudget, directoryWithin } from "./directory/login-directory.ts";
import { lookup } from "./lookup.ts";
import type { LdapOptions } from "./options.ts";
import { unavailable } from "./outcomes.ts";
import { prepare } from "./prepare.ts";
import { type ReportSkipped, skippedValueReporter } from "./report-skipped-values.ts";
import { createDomains } from "./user/domains.ts";

/**
 * Makes a backend of an LDAP directory or an Active Directory. Nothing is connected before the first login.
 *
 * The subject of an identity is the canonical DN of the user's entry. Its groups are named twice: by their names, and
 * by their canonical DNs.
 *
 * @param context Defaults: the id `ldap`, the current directory, and no log.
 * @throws {InvalidOptionsError} when the options are wrong, or a file cannot be read at the start.
 */
export async function ldapBackend(options: LdapOptions, context: Partial<BackendContext> = {}): Promise<AuthBackend> {
  const prepared = await prepare(options, context);
  const { settings } = prepared;
  const { id, log } = prepared.context;
  const directory = openDirectory(id, settings.directory, () => prepared.account(), log);
  prepared.onAccountChange(() => directory.accountChanged());
  const domains = createDomains();
  // A queue key of its own, so that no client can use up its turn.
  const lookups = directory.forClient("lookup");
  const reportSkipped = skippedValueReporter(id, log);
  return {
    id,
    async authenticate({ credentials, client, signal, requestId }) {
      if (credentials?.scheme !== "basic") return { status: "abstained" };
      try {
        const budget = createLoginBudget(settings.directory.timeout);
        const searched = directoryWithin(directory.forClient(client), budget);
        const report: ReportSkipped = (username, skipped) => reportSkipped(username, skipped, requestId);
        const context = { backend: id, settings, directory: searched, domains, reportSkipped: report };
        return await authenticate(credentials, context, signal);
      } catch (error) {
        throw unavailable(id, error);
      }
    },
    ...(!settings.user.readsOwnEntry && {
      async lookup(subject: string, signal: AbortSignal): Promise<Identity | undefined> {
        try {
          const budget = createLoginBudget(settings.directory.timeout);
          const searched = directoryWithin(lookups, budget);
          return await lookup(subject, { backend: id, settings, directory: searched, domains, reportSkipped }, signal);
        } catch (error) {
          throw unavailable(id, error);
        }
      },
    }),
    async check(signal) {
      try {
        await directory.check(signal);
      } catch (error) {
        throw unavailable(id, error);
      }
    },
    diagnose: (login, signal) => diagnose(prepared, login, signal),
    async close() {
      directory.close();
      prepared.close();
    },
  };
}
