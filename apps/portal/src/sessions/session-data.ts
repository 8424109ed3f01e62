import type { Identity } from "@registry-gate/auth";
import { z } from "@registry-gate/auth-kit";
import { readJson } from "../read-json.ts";

/** Who has signed in, as a session keeps it. */
export interface SignedIn {
  /** The id of the backend that has authenticated the user. */
  readonly backend: string;
  readonly subject: string;
  readonly username: string;
  /** All sessions of a login share it: it is gone once the user has signed out in any of them. */
  readonly login: string;
  /** In milliseconds since the epoch. */
  readonly since: number;
  /** When the login itself ceases to hold, in milliseconds since the epoch: the session ends with it. */
  readonly until?: number;
  /** Changes with the password; a session that began with another one ends. */
  readonly revision?: string;
  /** Where the backend cannot look the user up: what it has said when the user signed in. */
  readonly identity?: Identity;
  /** What a provider of OpenID Connect wants to see when the user signs out there as well. */
  readonly idToken?: string;
}

/** What one page leaves for the next to say, such as that something was deleted. */
export interface Notice {
  readonly kind: "done" | "failed";
  readonly text: string;
}

declare module "express-session" {
  interface SessionData {
    user?: SignedIn;
    /** What forms of this session send along. */
    formToken?: string;
    notice?: Notice;
  }
}

/** What is kept of a session; the rest is the cookie's, and the same for all. */
export interface KeptSession {
  readonly user: SignedIn;
  readonly formToken: string;
  readonly notice?: Notice;
}

export const identitySchema: z.ZodType<Identity> = z.strictObject({
  subject: z.string(),
  username: z.string(),
  groups: z.array(z.string()),
  ambiguousGroups: z.array(z.string()).exactOptional(),
  groupsIncomplete: z.string().exactOptional(),
  nameMatching: z.enum(["exact", "folded"]).exactOptional(),
  revision: z.string().exactOptional(),
  backend: z.string(),
  claims: z.record(z.string(), z.unknown()).exactOptional(),
});

const keptSchema: z.ZodType<KeptSession> = z.strictObject({
  user: z.strictObject({
    backend: z.string(),
    subject: z.string(),
    username: z.string(),
    login: z.string(),
    since: z.number(),
    until: z.number().exactOptional(),
    revision: z.string().exactOptional(),
    identity: identitySchema.exactOptional(),
    idToken: z.string().exactOptional(),
  }),
  formToken: z.string(),
  notice: z.strictObject({ kind: z.enum(["done", "failed"]), text: z.string() }).exactOptional(),
});

/** @returns `undefined` for what another version has written: whoever it was signs in again. */
export function parseSession(text: string): KeptSession | undefined {
  return readJson(keptSchema, text);
}
