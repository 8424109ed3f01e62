/**
 * Passport strategies as backends of registry-gate, its backends as strategies, and the user of an app's session.
 *
 * @module
 */
export { type BackendStrategy, type BackendStrategyOptions, backendStrategy } from "./backend-strategy.ts";
export { type IdentityFields, identityByFields } from "./identity-by-fields.ts";
export { type PassportBackendOptions, passportBackend } from "./passport-backend.ts";
export { plugin } from "./plugin.ts";
export type { PassportPluginOptions } from "./plugin-options.ts";
export { fromRequestUser, type RequestUserOptions } from "./request-user.ts";
export type { SignedIn } from "./signed-in.ts";
export type { PassportStrategy, StrategyActions } from "./strategy.ts";
export type { FormFields, StrategyRequest } from "./strategy-request.ts";
