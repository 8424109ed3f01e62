import type { AuthBackendPlugin } from "@registry-gate/auth";
import { ssoHeader } from "./header/backend.ts";
import { headerOptionsSchema, parseHeaderOptions } from "./header/options.ts";

/** Lets a configuration name the backend as `type: sso-header`. */
export const ssoHeaderPlugin: AuthBackendPlugin = {
  type: "sso-header",
  apiVersion: 1,
  optionsSchema: headerOptionsSchema,
  open: async (options, context) => ssoHeader(parseHeaderOptions(options), context),
};
