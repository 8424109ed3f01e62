import type { AuthBackendPlugin } from "@registry-gate/auth";
import { htpasswd } from "./backend.ts";
import { optionsSchema, parseOptions } from "./options.ts";

/** Lets a configuration name this backend as `type: htpasswd`. */
export const plugin: AuthBackendPlugin = {
  type: "htpasswd",
  apiVersion: 1,
  optionsSchema,
  open: async (options, context) => htpasswd(parseOptions(options), context),
};
