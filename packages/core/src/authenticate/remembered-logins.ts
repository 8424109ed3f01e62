import type { AuthBackend } from "@registry-gate/auth";
import type { LoginCacheOptions } from "../options/options.ts";
import { type VerifiedCredentials, verifiedCredentials } from "./verified-credentials.ts";

/** A cache of logins that is invalidated by changes of the backends. */
export type RememberedLogins = Pick<VerifiedCredentials, "nameOf" | "recall" | "resolve"> & { close(): void };

/**
 * Caches logins until a backend reports a change: of one user, or of all. A change also invalidates logins that later
 * backends accepted: they depend on this backend not having accepted them.
 */
export function rememberedLogins(backends: readonly AuthBackend[], options: LoginCacheOptions): RememberedLogins {
  const verified = verifiedCredentials(options);
  const orderOf = new Map(backends.map(({ id }, index) => [id, index]));
  const subscriptions = backends.map((backend, index) =>
    backend.onChange?.((subject) => {
      if (subject === undefined) return verified.purge();
      verified.purge((principal) => {
        // Who accepted a token that names nobody is not known.
        if (principal.kind === "anonymous") return true;
        const { identity } = principal;
        if (identity.backend === backend.id) return identity.subject === subject;
        return (orderOf.get(identity.backend) ?? Number.POSITIVE_INFINITY) > index;
      });
    }),
  );
  return {
    nameOf: verified.nameOf,
    recall: verified.recall,
    resolve: verified.resolve,
    close() {
      for (const unsubscribe of subscriptions.splice(0)) unsubscribe?.();
      verified.purge();
    },
  };
}
