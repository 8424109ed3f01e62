/**
 * The pages of registry-gate for an Express app: sign-in, repositories, access tokens and activity.
 *
 * @module
 */
export { type Activity, type ActivityOptions, type FailedSignIn, openActivity } from "./activity/activity.ts";
export type { ActivityEvent, ActivityLog } from "./activity/activity-record.ts";
export type { PartStatus, PortalStatus } from "./activity/status.ts";
export type { FoundUser, PageSources } from "./pages/page-sources.ts";
export { type PortalOptions, portal, type SignInOptions } from "./portal.ts";
export type { PortalState } from "./sessions/portal-state.ts";
export type { Secrets } from "./sessions/secrets.ts";
export { type NewSession, openSessions, type SessionOptions, type Sessions } from "./sessions/sessions.ts";
export type { OidcOptions } from "./sign-in/oidc/oidc-sign-in.ts";
export {
  plugin,
  type RememberedUsersOptions,
  rememberedUsers,
  rememberUser,
  type UserToRemember,
} from "./sign-in/remembered-users.ts";
