import type { AccessTokens, Devices } from "@registry-gate/access-tokens";
import type { Identity } from "@registry-gate/auth";
import type { AccessRule } from "@registry-gate/core";
import type { Activity } from "../activity/activity.ts";
import type { PortalStatus } from "../activity/status.ts";

/** Finds a user by name, as explanations need. */
export interface FoundUser {
  readonly identity: Identity | undefined;
  /** What should be known about the answer, a sentence each. */
  readonly notes: readonly string[];
}

/** What the pages show and change, beside the registry. What is absent has no page. */
export interface PageSources {
  /** Access tokens, made by `createAccessTokens` with the state of the backend that accepts them. */
  readonly accessTokens?: AccessTokens;
  /** The refresh tokens of users, such as `refreshTokens` of `@registry-gate/token`. */
  readonly devices?: Devices;
  /** The rules that the registry decides by, for explanations. Default: authenticated users can pull and push. */
  readonly access?: readonly AccessRule[];
  /** Finds another user, for administrators. */
  findUser?(username: string, signal: AbortSignal): Promise<FoundUser>;
  /** Who did what lately. */
  readonly activity?: Activity;
  /** How what the portal depends on is, for administrators. */
  status?(): Promise<PortalStatus>;
  /** Lets somebody try again who is kept out because too many logins have failed. */
  release?(login: { readonly client: string | undefined; readonly username: string | undefined }): Promise<void>;
  /** The PEM text of the authority that clients have to trust; absent where its certificate is one that all know. */
  readonly authority?: string;
}
