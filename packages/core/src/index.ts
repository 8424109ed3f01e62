/**
 * Express middleware that decides who may pull and push on a container registry.
 *
 * @module
 */
export { type ErrorAnswer, formatChallenge, sendError } from "./answer/error-answer.ts";
export { refuseUnreadable, type UnreadableRequest } from "./answer/refuse-unreadable.ts";
export type { Permissions } from "./authorize/permissions.ts";
export { compilePolicy, type Policy, type PolicyDecision, type RuleVerdict } from "./authorize/policy.ts";
export type { Principal } from "./authorize/principal.ts";
export { serveExpectations } from "./expectation.ts";
export { authRequestOf, peerOf } from "./identify/auth-request.ts";
export { basicCredentials } from "./identify/authorization.ts";
export type { SessionUser } from "./identify/session.ts";
export type { AccessRule, CacheOptions, RegistryProxyOptions, UpstreamOptions } from "./options.ts";
export { type AddressSet, addressSet, plainAddress } from "./peer.ts";
export type { Decision, RequestRecord } from "./record.ts";
export { type RegistryProxy, registryProxy } from "./registry-proxy.ts";
export { isRepository } from "./route/names.ts";
export { type Findings, validateOptions } from "./validate-options.ts";
