import {
  type Access,
  type AuthBackend,
  type Duration,
  type Fault,
  InvalidOptionsError,
  parseDuration,
  type SharedState,
} from "@registry-gate/auth";
import { addressFault, parseOptions, readGroupName } from "@registry-gate/auth-kit";
import { type IssuanceOptions, issuanceSchema, resolveIssuance } from "./options.ts";
import { parseScope } from "./scopes.ts";
import type { AccessToken, ListedAccessToken, RobotOwner, TokenOwner, UserOwner } from "./token-record.ts";
import { openTokenStore } from "./token-store.ts";
import { createToken, digestOf, idOf } from "./token-text.ts";

/** What {@link createAccessTokens} is made with. */
export interface AccessTokensOptions extends IssuanceOptions {
  /** Where tokens are kept: that of the backend, so that a revocation holds at once in this process. */
  readonly state: SharedState;
  /** Those whose users may have tokens. Each must be able to look its users up. */
  readonly backends: readonly AuthBackend[];
}

/** A user, as in the identity that the user's backend has given. */
export type UserReference = Omit<UserOwner, "kind" | "username">;

/** What a token is created with. */
export interface NewAccessToken {
  readonly owner: UserReference | Omit<RobotOwner, "kind">;
  /** Letters, digits, `.`, `_` and `-`, at most 64; unique among the owner's tokens. */
  readonly name: string;
  /** How long the token is good for, such as `30d`. Required, unless the options say otherwise. */
  readonly expires?: Duration;
  /** Such as `repository:team/**:pull,push`. Absent: the token is good for whatever its owner is allowed. */
  readonly scopes?: readonly string[];
  /** Addresses, CIDR blocks, and `unix:`. Absent: from anywhere. */
  readonly networks?: readonly string[];
}

/** A token that has just been made. */
export interface CreatedAccessToken {
  /** The token itself. It is shown this once: nobody can read it from the store. */
  readonly token: string;
  readonly accessToken: AccessToken;
}

/** Creates, lists and revokes access tokens. Whatever the state store throws, each throws. */
export interface AccessTokens {
  /**
   * @throws {InvalidOptionsError} with every fault: its paths begin with a key of {@link NewAccessToken}.
   * @throws {BackendUnavailableError} when the owner cannot be looked up now.
   */
  create(request: NewAccessToken, signal?: AbortSignal): Promise<CreatedAccessToken>;
  /** The tokens of an owner, or of all, in the order of their creation. */
  list(owner?: UserReference | Pick<RobotOwner, "name">): Promise<readonly ListedAccessToken[]>;
  /**
   * Revokes a token: at once in this process, and within a second in others that share the state.
   *
   * @param id The {@link AccessToken.id}.
   * @param owner Whose token it must be. Default: anybody's.
   * @returns whether there was such a token.
   */
  revoke(id: string, owner?: UserReference | Pick<RobotOwner, "name">): Promise<boolean>;
}

const namePattern = /^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,62}[A-Za-z0-9])?$/;
const robotNamePattern = /^[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?$/;
/** A record must fit into an entry of the state store, and a request must not be compared with thousands. */
const mostScopes = 100;
const mostNetworks = 100;
const mostGroups = 100;
const mostTokens = 1000;
const lookupTimeout = 30_000;

/** @throws {InvalidOptionsError} for options that are wrong. */
export function createAccessTokens({ state, backends, ...options }: AccessTokensOptions): AccessTokens {
  const issuance = resolveIssuance(parseOptions(issuanceSchema, options));
  const store = openTokenStore(state);

  /** In milliseconds; a fault where it may not be. */
  function readExpiry(expires: Duration | undefined): number | undefined | Fault {
    const path = ["expires"];
    const { maxTtl, requireExpiry } = issuance;
    if (expires === undefined) {
      return requireExpiry ? { path, message: "is required: say how long the token is good for, such as 30d" } : maxTtl;
    }
    const ttl = parseDuration(expires);
    if (ttl === undefined || ttl === 0) return { path, message: "must be a duration such as 12h or 30d" };
    if (maxTtl !== undefined && ttl > maxTtl) return { path, message: `must be at most ${inWords(maxTtl)}` };
    return ttl;
  }

  async function findUser(reference: UserReference, signal: AbortSignal): Promise<UserOwner | Fault> {
    const { backend: id, subject } = reference;
    const path = ["owner"];
    const backend = backends.find((one) => one.id === id);
    if (backend === undefined) return { path, message: `is of ${id}, which is no backend here` };
    const identity = await backend.lookup?.(subject, signal);
    if (backend.lookup === undefined) {
      return { path, message: `is of ${id}, which cannot look its users up, so that their tokens would outlive them` };
    }
    if (identity?.subject !== subject) return { path, message: `is not known to ${id}, or is disabled` };
    return { kind: "user", backend: id, subject, username: identity.username };
  }

  return {
    async create({ owner: given, name, expires, scopes, networks }, signal = AbortSignal.timeout(lookupTimeout)) {
      const faults: Fault[] = [];
      const take = <T>(value: T | Fault): T | undefined => {
        if (!isFault(value)) return value;
        faults.push(value);
        return undefined;
      };
      if (!namePattern.test(name)) {
        faults.push({ path: ["name"], message: "must be 1 to 64 letters, digits, dots, underscores or hyphens" });
      }
      const ttl = take(readExpiry(expires));
      const accesses = scopes && readScopes(scopes, faults);
      if (networks !== undefined) faults.push(...networkFaults(networks));
      const owner = "backend" in given ? take(await findUser(given, signal)) : readRobot(given, faults);
      if (owner === undefined || faults.length > 0) throw new InvalidOptionsError(faults);
      const token = createToken();
      const digest = digestOf(token);
      const createdAt = Date.now();
      const record: AccessToken = {
        ...{ id: idOf(digest), name, owner, createdAt },
        ...(accesses !== undefined && { scopes: accesses }),
        ...(ttl !== undefined && { expiresAt: createdAt + ttl }),
        ...(networks !== undefined && { networks: [...networks] }),
      };
      if ((await store.list(owner)).length >= mostTokens) {
        throw new InvalidOptionsError([{ path: ["owner"], message: `has ${mostTokens} tokens already: revoke some` }]);
      }
      if (!(await store.add({ digest, record }))) {
        const message = `is that of another token of the same owner: revoke it, or choose another name`;
        throw new InvalidOptionsError([{ path: ["name"], message }]);
      }
      return { token, accessToken: record };
    },
    async list(owner) {
      return (await store.list(owner && referenced(owner))).map(({ record }) => record);
    },
    async revoke(id, owner) {
      const tokens = await store.list(owner && referenced(owner));
      const token = tokens.find(({ record }) => record.id === id);
      return token !== undefined && (await store.remove(token));
    },
  };
}

/** What the store knows an owner by. */
function referenced(owner: UserReference | Pick<RobotOwner, "name">): TokenOwner {
  if ("backend" in owner) return { kind: "user", backend: owner.backend, subject: owner.subject, username: "" };
  return { kind: "robot", name: owner.name, groups: [] };
}

function readRobot({ name, groups }: Omit<RobotOwner, "kind">, faults: Fault[]): RobotOwner {
  if (!robotNamePattern.test(name)) {
    const message = "must be 1 to 64 lower-case letters, digits, dots, underscores or hyphens";
    faults.push({ path: ["owner", "name"], message });
  }
  if (groups.length > mostGroups) faults.push({ path: ["owner", "groups"], message: `must be at most ${mostGroups}` });
  const read = groups.map((group, index) => {
    const { name: known, fault } = readGroupName(group);
    if (fault !== undefined) faults.push({ path: ["owner", "groups", index], message: fault });
    return known ?? "";
  });
  return { kind: "robot", name, groups: [...new Set(read)] };
}

function readScopes(scopes: readonly string[], faults: Fault[]): readonly Access[] {
  if (scopes.length === 0) {
    faults.push({ path: ["scopes"], message: "must not be empty: leave them out for whatever the owner is allowed" });
  }
  if (scopes.length > mostScopes) faults.push({ path: ["scopes"], message: `must be at most ${mostScopes}` });
  return scopes.slice(0, mostScopes).flatMap((scope, index) => {
    const { accesses = [], fault } = parseScope(scope);
    if (fault !== undefined) faults.push({ path: ["scopes", index], message: fault });
    return accesses;
  });
}

function networkFaults(networks: readonly string[]): readonly Fault[] {
  if (networks.length === 0) {
    return [{ path: ["networks"], message: "must not be empty: leave them out for any" }];
  }
  if (networks.length > mostNetworks) return [{ path: ["networks"], message: `must be at most ${mostNetworks}` }];
  return networks.flatMap((network, index) => {
    const message = addressFault(network);
    return message === undefined ? [] : [{ path: ["networks", index], message }];
  });
}

function isFault(value: unknown): value is Fault {
  return typeof value === "object" && value !== null && "path" in value && "message" in value;
}

const units = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["m", 60_000],
  ["s", 1000],
] as const;

function inWords(milliseconds: number): string {
  const [unit, size] = units.find(([, length]) => milliseconds % length === 0) ?? ["ms", 1];
  return `${milliseconds / size}${unit}`;
}
