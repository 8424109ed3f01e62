/**
 * The Docker token protocol: issues tokens, verifies them, and keeps logins without a password.
 *
 * @module
 */
export { bearerChallenge, type ChallengeOptions, tokenPath } from "./challenge.ts";
export type { IdentityClaims, TokenClaims } from "./claims.ts";
export { createTokenEndpoint, type TokenEndpointOptions } from "./endpoint/endpoint.ts";
export {
  defaultIssuer,
  type IssuedToken,
  issueToken,
  type TokenContent,
  TokenTooLargeError,
  tokenType,
} from "./issue.ts";
export {
  type AddedKey,
  type AddKeyOptions,
  addKey,
  fixedKeys,
  type KeyOptions,
  openKeys,
  randomKeys,
} from "./key-file.ts";
export type { TokenKeys } from "./keys.ts";
export { makeKey, type NewKey } from "./make-key.ts";
export {
  type Redeemed,
  type RefreshTokenEntry,
  type RefreshTokenOptions,
  type RefreshTokenStore,
  type RefreshTokens,
  refreshTokens,
} from "./refresh-tokens.ts";
export { formatScopes, type ResourceAccess, readScopes, type ScopeReading } from "./scope.ts";
export { jwkSchema, type KeyMaterial, type TokenAlgorithm, type TokenKey, tokenAlgorithms } from "./signing-key.ts";
export { type TokenBackendOptions, tokenBackend } from "./token-backend.ts";
export { type TokenHandlerOptions, tokenHandler } from "./token-handler.ts";
export {
  createTokenService,
  type Grant,
  type GrantRequest,
  type TokenBody,
  type TokenService,
  type TokenServiceOptions,
} from "./token-service.ts";
export { type TokenFinding, type TokenRules, type VerifiedToken, verifyToken } from "./verify.ts";
