/**
 * The contract between registry-gate and the backends that authenticate its users.
 *
 * @module
 */
export type { Access, Action } from "./access.ts";
export type {
  Abstained,
  Anonymous,
  AuthBackend,
  Authenticated,
  AuthRequest,
  AuthResult,
  ChangeListener,
  Conflicting,
  Peer,
  Rejected,
  Roster,
} from "./backend.ts";
export type { Challenge, ChallengeContext, ChallengeError } from "./challenge.ts";
export type { BasicCredentials, BearerCredentials, Credentials } from "./credentials.ts";
export type { DiagnosisLogin, DiagnosisStep } from "./diagnosis.ts";
export { type Duration, durationPattern, parseDuration, timerDelay } from "./duration.ts";
export { BackendUnavailableError, type Fault, formatFault, InvalidOptionsError } from "./errors.ts";
export type { Grants } from "./grants.ts";
export type { Identity, NameMatching } from "./identity.ts";
export type { AuthBackendPlugin, BackendContext, Logger, LogLine } from "./plugin.ts";
export type { AnonymousPrincipal, LoginMethod, Principal, UserPrincipal } from "./principal.ts";
export type { SharedState } from "./shared-state.ts";
