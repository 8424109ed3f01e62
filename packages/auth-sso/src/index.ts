/**
 * Users from a single sign-on in front of the gate: by trusted headers, and by signed tokens.
 *
 * @module
 */
export { ssoHeaderBackend } from "./header/backend.ts";
export type { ClientCertificateOptions, SharedSecretOptions, SsoHeaderOptions } from "./header/options.ts";
export type { HeaderPreset } from "./header/presets.ts";
export { ssoJwtBackend } from "./jwt/backend.ts";
export type { JwtAlgorithm, SsoJwtOptions } from "./jwt/options.ts";
export type { JwtPreset } from "./jwt/preset-names.ts";
export { ssoHeaderPlugin, ssoJwtPlugin } from "./plugins.ts";
