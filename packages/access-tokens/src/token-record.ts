import type { Access } from "@registry-gate/auth";
import { z } from "@registry-gate/auth-kit";

/** A person whose token it is: a user of another backend. */
export interface UserOwner {
  readonly kind: "user";
  /** The id of the backend that knows the user. */
  readonly backend: string;
  /** As in the identity that the backend gives. */
  readonly subject: string;
  /** The name at the time when the token was created, to be shown. */
  readonly username: string;
}

/** A machine, which no directory knows. */
export interface RobotOwner {
  readonly kind: "robot";
  /** Rules name it `user:robot$NAME`. */
  readonly name: string;
  /** The groups that it is in, as rules name them. */
  readonly groups: readonly string[];
}

/** Whose token it is: a user of another backend, or a robot. */
export type TokenOwner = UserOwner | RobotOwner;

/** The use of a token. */
export interface TokenUse {
  /** In milliseconds since the epoch. */
  readonly time: number;
  /** Of the client; absent on a Unix socket. */
  readonly address?: string;
  /** What the client says it is. */
  readonly agent?: string;
}

/** An access token, without the token itself, which nobody has but its owner. */
export interface AccessToken {
  /** Names the token: the beginning of its digest. */
  readonly id: string;
  /** Chosen by the owner, and unique among the owner's tokens. */
  readonly name: string;
  readonly owner: TokenOwner;
  /** What the token is good for, where its owner is allowed it too. Absent: whatever its owner is allowed. */
  readonly scopes?: readonly Access[];
  /** In milliseconds since the epoch. */
  readonly createdAt: number;
  /** In milliseconds since the epoch; absent: it does not expire. */
  readonly expiresAt?: number;
  /** From where it may be used: addresses, CIDR blocks, and `unix:`. Absent: from anywhere. */
  readonly networks?: readonly string[];
}

/** A token as it is listed. */
export interface ListedAccessToken extends AccessToken {
  /** The latest use, to the minute; absent where there was none. */
  readonly lastUsed?: TokenUse;
}

const recordSchema: z.ZodType<AccessToken> = z.strictObject({
  id: z.string(),
  name: z.string(),
  owner: z.discriminatedUnion("kind", [
    z.strictObject({ kind: z.literal("user"), backend: z.string(), subject: z.string(), username: z.string() }),
    z.strictObject({ kind: z.literal("robot"), name: z.string(), groups: z.array(z.string()) }),
  ]),
  scopes: z
    .array(
      z.strictObject({
        type: z.enum(["repository", "registry"]),
        name: z.string(),
        action: z.enum(["pull", "push", "delete", "*"]),
      }),
    )
    .exactOptional(),
  createdAt: z.number(),
  expiresAt: z.number().exactOptional(),
  networks: z.array(z.string()).exactOptional(),
});

const useSchema: z.ZodType<TokenUse> = z.strictObject({
  time: z.number(),
  address: z.string().exactOptional(),
  agent: z.string().exactOptional(),
});

/**
 * Reads a record as it was stored.
 *
 * @throws {Error} for one that another version has written: nothing is assumed of what it may not say.
 */
export function parseRecord(text: string): AccessToken {
  return read(recordSchema, text, "the record of an access token cannot be read");
}

/** @throws {Error} */
export function parseUse(text: string): TokenUse {
  return read(useSchema, text, "the last use of an access token cannot be read");
}

function read<T>(schema: z.ZodType<T>, text: string, message: string): T {
  try {
    return schema.parse(JSON.parse(text));
  } catch (error) {
    throw new Error(message, { cause: error });
  }
}
