/**
 * Express middleware that decides who may pull and push on a container registry.
 *
 * @module
 */
export type { Principal } from "@registry-gate/auth";
export { type ErrorAnswer, formatChallenge, sendError } from "./answer/error-answer.ts";
export { refuseUnreadable, type UnreadableRequest } from "./answer/refuse-unreadable.ts";
export { requestIdOf } from "./answer/request-id.ts";
export { accessRuleSchema } from "./authorize/access-schema.ts";
export { compilePolicy } from "./authorize/checked-policy.ts";
export type { Permissions } from "./authorize/permissions.ts";
export type { ImmutableTags, Knowledge, Policy, PolicyDecision, RuleVerdict } from "./authorize/policy.ts";
export { serveExpectations } from "./expectation.ts";
export { registryAuthorization } from "./forward/registry-login.ts";
export { authRequestOf, clientAddressReader, peerOf } from "./identify/auth-request.ts";
export type { Authenticator } from "./identify/authenticator.ts";
export { basicCredentials } from "./identify/authorization.ts";
export { basicChallenge, type MakeChallenge } from "./identify/challenges.ts";
export { createAuthenticator } from "./identify/create-authenticator.ts";
export type { SessionUser } from "./identify/session.ts";
export type { Count, CounterStore, Counters } from "./identify/throttle/counters.ts";
export {
  type AttemptOutcome,
  type LoginAttempt,
  type LoginThrottle,
  loginThrottle,
  type Throttled,
  throttleSchema,
} from "./identify/throttle/login-throttle.ts";
export { type MemoryCountersOptions, memoryCounters } from "./identify/throttle/memory-counters.ts";
export type { ThrottleOptions } from "./identify/throttle/throttle-options.ts";
export type { AuthenticatedVerdict, Verdict } from "./identify/verdict.ts";
export {
  type LoginJudged,
  loginJudged,
  requestFinished,
  type UpstreamConnection,
  type UpstreamQueue,
  upstreamConnection,
  upstreamQueue,
} from "./observe/channels.ts";
export type {
  AccessRule,
  AuthenticatorOptions,
  CacheOptions,
  CorsOptions,
  GateOptions,
  LimitOptions,
  RegistryCredentials,
  RegistryProxyOptions,
  SharedSignInOptions,
  SignInOptions,
  UpstreamOptions,
} from "./options.ts";
export { trustedProxiesSchema } from "./options-schema.ts";
export { type AddressSet, addressSet, plainAddress } from "./peer.ts";
export type { Decision, Outcome, Phase, RequestRecord } from "./record.ts";
export { type RegistryProxy, registryProxy } from "./registry-proxy.ts";
export { isRepository } from "./route/names.ts";
export { type Findings, validateOptions } from "./validate-options.ts";
