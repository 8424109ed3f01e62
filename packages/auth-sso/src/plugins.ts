import type { AuthBackendPlugin } from "@registry-gate/auth";
import { ssoHeader } from "./header/backend.ts";
import { headerOptionsSchema, parseHeaderOptions } from "./header/options.ts";
import { ssoJwt } from "./jwt/backend.ts";
import { jwtOptionsSchema, parseJwtOptions } from "./jwt/options.ts";

/** Lets a configuration name the backend as `type: sso-header`. */
export const ssoHeaderPlugin: AuthBackendPlugin = {
  type: "sso-header",
  apiVersion: 1,
  optionsSchema: headerOptionsSchema,
  open: async (options, context) => ssoHeader(parseHeaderOptions(options), context),
};

/** Lets a configuration name the backend as `type: sso-jwt`. */
export const ssoJwtPlugin: AuthBackendPlugin = {
  type: "sso-jwt",
  apiVersion: 1,
  optionsSchema: jwtOptionsSchema,
  open: async (options, context) => ssoJwt(parseJwtOptions(options), context),
};
