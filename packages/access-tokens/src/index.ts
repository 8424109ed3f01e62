/**
 * Access tokens of people and robots: the backend that accepts them, and what creates, lists and revokes them.
 *
 * @module
 */
export { accessTokenBackend, plugin } from "./backend.ts";
export type { Device, Devices } from "./devices.ts";
export {
  type AccessTokens,
  type AccessTokensOptions,
  type CreatedAccessToken,
  createAccessTokens,
  type NewAccessToken,
  type UserReference,
} from "./manage.ts";
export type { AccessTokenOptions, IssuanceOptions } from "./options.ts";
export { type AccessTokensRouterOptions, accessTokens, type RouterHandler } from "./router.ts";
export { formatScopes, parseScope, type ScopeReading } from "./scopes.ts";
export type { AccessToken, ListedAccessToken, RobotOwner, TokenOwner, TokenUse, UserOwner } from "./token-record.ts";
