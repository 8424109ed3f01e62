import type { Access, Identity } from "@registry-gate/auth";
import { z } from "@registry-gate/auth-kit";
import type { ResourceAccess } from "./scope.ts";

/** What the claim `rg` says of a user: of an identity, all that rules need to decide again, and what makes them stricter. */
export interface IdentityClaims {
  readonly username: string;
  readonly groups: string[];
  readonly ambiguousGroups?: string[];
  readonly groupsIncomplete?: string;
  readonly nameMatching?: "exact" | "folded";
  readonly backend: string;
  readonly subject: string;
  readonly revision?: string;
  /** The login had grants itself, so that no other token has wider ones. */
  readonly limited?: true;
}

/** What a token holds. Times are in seconds since the epoch. */
export interface TokenClaims {
  readonly iss: string;
  readonly aud: string | readonly string[];
  /** The user's name, which a registry takes for the actor; empty for a token that was issued to nobody. */
  readonly sub: string;
  readonly exp: number;
  readonly nbf: number;
  readonly iat: number;
  readonly jti: string;
  readonly access: readonly ResourceAccess[];
  /** The user, as JSON or compressed. */
  readonly rg?: IdentityClaims | string;
}

const name = z.string().min(1).max(4096);
const seconds = z.int().min(0);

const accessSchema = z.strictObject({
  type: z.enum(["repository", "registry"]),
  class: z.string().min(1).max(64).exactOptional(),
  name,
  actions: z.array(z.string().max(64)).max(64),
});

const identitySchema: z.ZodType<IdentityClaims> = z.strictObject({
  username: name,
  groups: z.array(z.string()),
  ambiguousGroups: z.array(z.string()).exactOptional(),
  groupsIncomplete: z.string().exactOptional(),
  nameMatching: z.enum(["exact", "folded"]).exactOptional(),
  backend: name,
  subject: name,
  revision: z.string().exactOptional(),
  limited: z.literal(true).exactOptional(),
});

/** A claim that is not known here could be one that limits the token: it is refused. */
const claimsSchema: z.ZodType<TokenClaims> = z.strictObject({
  iss: z.string(),
  aud: z.union([z.string(), z.array(z.string()).min(1).max(16)]),
  sub: z.string(),
  exp: seconds,
  nbf: seconds,
  iat: seconds,
  jti: z.string().min(1).max(128),
  access: z.array(accessSchema).max(1000),
  rg: z.union([identitySchema, z.string()]).exactOptional(),
});

/** @returns `undefined` for what is not the claims of a token. */
export function readClaims(value: unknown): TokenClaims | undefined {
  return claimsSchema.safeParse(value).data;
}

/** @returns `undefined` for what does not say who a user is. */
export function readIdentity(value: unknown): IdentityClaims | undefined {
  return identitySchema.safeParse(value).data;
}

/** What a token says of a user. */
export function identityClaims(identity: Identity): IdentityClaims {
  const { username, groups, ambiguousGroups, groupsIncomplete, nameMatching, backend, subject, revision } = identity;
  return {
    username,
    groups: [...groups],
    ...(ambiguousGroups !== undefined && { ambiguousGroups: [...ambiguousGroups] }),
    ...(groupsIncomplete !== undefined && { groupsIncomplete }),
    ...(nameMatching !== undefined && { nameMatching }),
    backend,
    subject,
    ...(revision !== undefined && { revision }),
  };
}

const knownActions: readonly string[] = ["pull", "push", "delete", "*"] satisfies readonly Access["action"][];

/** What a token grants, as rules are cut to. An action that is not known grants nothing. */
export function grantsOfAccess(access: readonly ResourceAccess[]): readonly Access[] {
  return access.flatMap(({ type, name, actions }) =>
    actions.filter(isAction).map((action): Access => ({ type, name, action })),
  );
}

function isAction(action: string): action is Access["action"] {
  return knownActions.includes(action);
}
