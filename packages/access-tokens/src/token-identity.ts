import type { Identity } from "@registry-gate/auth";
import { robotPrefix } from "@registry-gate/auth-kit";
import type { RobotOwner, TokenOwner } from "./token-record.ts";

/**
 * The subject of an owner among those of access tokens. Two backends may have the same subject; no id of a backend has a
 * colon here, and no robot's name has one.
 */
export function tokenSubject(owner: TokenOwner): string {
  return owner.kind === "robot" ? robotName(owner) : subjectIn(owner.backend, owner.subject);
}

/** The subject of a user of another backend. */
export function subjectIn(backend: string, subject: string): string {
  return `${encodeURIComponent(backend.toWellFormed())}:${subject}`;
}

/** What rules call a robot. */
function robotName({ name }: Pick<RobotOwner, "name">): string {
  return `${robotPrefix}${name}`;
}

/** A token as an identity names it: its id for people, and its digest, by which it is found again. */
export interface TokenReference {
  readonly id: string;
  readonly digest: string;
}

/** Who signs in by a token of a robot. */
export function robotIdentity(robot: RobotOwner, backend: string, { id, digest }: TokenReference): Identity {
  const username = robotName(robot);
  const claims = { accessToken: id };
  return { subject: username, username, groups: robot.groups, backend, revision: digest, claims };
}

/** Who signs in by a token of a person: the owner as of now, by another name of the subject alone. */
export function ownerIdentity(owner: Identity, backend: string, { id, digest }: TokenReference): Identity {
  return {
    ...owner,
    // The owner's own is about a password, on which no token rests.
    revision: digest,
    subject: subjectIn(owner.backend, owner.subject),
    backend,
    claims: { ...owner.claims, accessToken: id },
  };
}
