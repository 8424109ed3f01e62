import type { AuthBackendPlugin } from "@registry-gate/auth";
import { ldapBackend } from "./backend.ts";
import { optionsSchema, requireOptions } from "./schema.ts";

/** Lets a configuration name this backend as `type: ldap`. */
export const plugin: AuthBackendPlugin = {
  type: "ldap",
  apiVersion: 1,
  optionsSchema,
  open: async (options, context) => ldapBackend(requireOptions(options), context),
};
