/**
 * Users from a single sign-on in front of the gate: by trusted headers, and by signed assertions.
 *
 * @module
 */
export { ssoHeader } from "./header/backend.ts";
export type { ClientCertificateOptions, SharedSecretOptions, SsoHeaderOptions } from "./header/options.ts";
export type { HeaderPreset } from "./header/presets.ts";
export { ssoHeaderPlugin } from "./plugins.ts";
