import type { AuthBackendPlugin } from "@registry-gate/auth";
import { definePlugin } from "@registry-gate/auth-kit";
import { ssoHeader } from "./header/backend.ts";
import { headerOptions } from "./header/options.ts";
import { ssoJwt } from "./jwt/backend.ts";
import { jwtOptions } from "./jwt/options.ts";

/** Lets a configuration name the backend as `type: sso-header`. */
export const ssoHeaderPlugin: AuthBackendPlugin = definePlugin({
  type: "sso-header",
  options: headerOptions,
  open: ssoHeader,
});

/** Lets a configuration name the backend as `type: sso-jwt`. */
export const ssoJwtPlugin: AuthBackendPlugin = definePlugin({ type: "sso-jwt", options: jwtOptions, open: ssoJwt });
