import type { AuthBackendPlugin } from "@registry-gate/auth";
import { definePlugin } from "@registry-gate/auth-kit";
import { ssoHeaderBackend } from "./header/backend.ts";
import { headerOptions } from "./header/options.ts";
import { ssoJwtBackend } from "./jwt/backend.ts";
import { jwtOptions } from "./jwt/options.ts";

/** Lets a configuration name the backend as `type: sso-header`. */
export const ssoHeaderPlugin: AuthBackendPlugin = definePlugin({
  type: "sso-header",
  options: headerOptions,
  open: ssoHeaderBackend,
});

/** Lets a configuration name the backend as `type: sso-jwt`. */
export const ssoJwtPlugin: AuthBackendPlugin = definePlugin({
  type: "sso-jwt",
  options: jwtOptions,
  open: ssoJwtBackend,
});
