/**
 * Express middleware that decides who may pull and push on a container registry.
 *
 * @module
 */
export type { Principal } from "@registry-gate/auth";
export { peerOf } from "./authenticate/auth-request.ts";
export type { Authenticator } from "./authenticate/authenticator.ts";
export { basicChallenge, type MakeChallenge } from "./authenticate/challenges.ts";
export { createAuthenticator } from "./authenticate/create-authenticator.ts";
export type { SessionUser } from "./authenticate/session.ts";
export type { Count, CounterStore, Counters } from "./authenticate/throttle/counters.ts";
export {
  type AttemptOutcome,
  type LoginAttempt,
  type LoginThrottle,
  loginThrottle,
  type Throttled,
  throttleSchema,
} from "./authenticate/throttle/login-throttle.ts";
export { type MemoryCountersOptions, memoryCounters } from "./authenticate/throttle/memory-counters.ts";
export type { ThrottleOptions } from "./authenticate/throttle/throttle-options.ts";
export type { AnonymousVerdict, AuthenticatedVerdict, ExpiredVerdict, Verdict } from "./authenticate/verdict.ts";
export { accessRuleSchema } from "./authorize/access-schema.ts";
export { compilePolicy } from "./authorize/checked-policy.ts";
export { decidingVerdicts } from "./authorize/deciding-verdicts.ts";
export type { Permissions } from "./authorize/permission.ts";
export type { ImmutableTags, Knowledge, Policy, PolicyDecision, RuleVerdict } from "./authorize/policy.ts";
export { prepareAccess } from "./authorize/prepare-access.ts";
export { clientReader, type RequestClient } from "./client/client-reader.ts";
export type { ContentChange, ContentChanges } from "./forward/cache/content-changes.ts";
export { registryAuthorization } from "./forward/registry-login.ts";
export { createReadOnlySwitch, type ReadOnlySwitch } from "./limits/read-only-switch.ts";
export {
  type LimitReached,
  type LoginCache,
  type LoginJudged,
  type LoginThrottled,
  limitReached,
  loginCache,
  loginJudged,
  loginThrottled,
  requestFinished,
  type UpstreamCache,
  type UpstreamConnection,
  type UpstreamQueue,
  upstreamCache,
  upstreamConnection,
  upstreamQueue,
} from "./observe/channels.ts";
export { operationNames } from "./observe/operation-names.ts";
export type {
  CacheResult,
  Decision,
  IssuedToken,
  Outcome,
  Phase,
  RequestRecord,
  WriteObserver,
} from "./observe/record.ts";
export type { RequestTrace, RequestTracer, TraceContext, TracedRequest } from "./observe/tracing.ts";
export type {
  AccessRule,
  AuthenticatorOptions,
  ContentCacheOptions,
  CorsOptions,
  GateOptions,
  LimitOptions,
  LoginCacheOptions,
  RegistryCredentials,
  RegistryProxyOptions,
  SharedSignInOptions,
  SignInOptions,
  Subject,
  UpstreamOptions,
} from "./options/options.ts";
export { type Findings, validateOptions } from "./options/validate-options.ts";
export type { RegistryRead, RegistryReadResult } from "./read/read-as.ts";
export { type RegistryProxy, registryProxy } from "./registry-proxy.ts";
export { type ErrorResponse, sendError } from "./respond/error-response.ts";
export { refuseUnreadable, type UnreadableRequest } from "./respond/refuse-unreadable.ts";
export { requestIdOf } from "./respond/request-id.ts";
export { actionOf } from "./route/accesses.ts";
export { isRepository } from "./route/names.ts";
export type { Operation } from "./route/route.ts";
export type { TokenEndpoint, TokenGate, TokenRequest, TokenResponse } from "./tokens/token-endpoint.ts";
export { tokenGate } from "./tokens/token-gate.ts";
export { serveExpectations } from "./validate/expectation.ts";
