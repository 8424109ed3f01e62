import type { UserReference } from "./manage.ts";

/** A machine on which a user has logged in and that holds a refresh token since. */
export interface Device {
  /** Names it: letters, digits, `_` and `-`, at most 128. Nobody gets from it to the token. */
  readonly id: string;
  /** In milliseconds since the epoch, as the other times. */
  readonly createdAt: number;
  readonly expiresAt?: number;
  readonly lastUsed?: number;
  /** What the client says it is. */
  readonly client?: string;
  readonly address?: string;
}

/** What lists and revokes the refresh tokens of a user. */
export interface Devices {
  /** The refresh tokens of a user. */
  list(owner: UserReference): Promise<readonly Device[]>;
  /** @returns whether the owner had such a token. */
  revoke(id: string, owner: UserReference): Promise<boolean>;
}
