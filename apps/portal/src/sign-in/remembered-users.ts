import { createHash } from "node:crypto";
import {
  type AuthBackend,
  type AuthBackendPlugin,
  type BackendContext,
  BackendUnavailableError,
  type Duration,
  type Identity,
  InvalidOptionsError,
  parseDuration,
  type SharedState,
} from "@registry-gate/auth";
import { backendContext, definePlugin, durationOption, parseOptions, untilAborted, z } from "@registry-gate/auth-kit";
import { readJson } from "../read-json.ts";
import { identitySchema } from "../sessions/session-data.ts";

/** Options of {@link rememberedUsers}: those of a configuration's `type: portal-users`. */
export interface RememberedUsersOptions {
  /** How long a user is taken for what the provider said when they last signed in at the portal. Default `30d`. */
  readonly remember?: Duration;
}

const optionsSchema: z.ZodType<RememberedUsersOptions> = z.strictObject(
  {
    remember: durationOption(
      "How long a user is taken for what the provider said when they last signed in at the portal; 30d by default",
    ).exactOptional(),
  },
  "must hold remember",
);

const thirtyDays = 30 * 86_400_000;

/**
 * Knows the users of a provider, whom nobody can be asked about: as they were when they last signed in at the portal, for a
 * while. It signs nobody in. With it users of a provider can have access tokens, which end when they have not come for so long.
 *
 * @param context Needs `state`, which the portal shares.
 * @throws {InvalidOptionsError} when the options are wrong, or there is no state.
 */
export function rememberedUsers(options: RememberedUsersOptions, context: Partial<BackendContext> = {}): AuthBackend {
  parseOptions(optionsSchema, options);
  const { id, state } = backendContext(context, "portal-users");
  if (state === undefined)
    throw new InvalidOptionsError([{ path: [], message: "needs state, where users are remembered" }]);
  const store: SharedState = state;

  async function read(key: string, signal: AbortSignal): Promise<string | undefined> {
    try {
      return await untilAborted(store.get(key), signal);
    } catch (error) {
      signal.throwIfAborted();
      throw new BackendUnavailableError(id, "remembered users cannot be read", { cause: error });
    }
  }

  return {
    id,
    authenticate: async () => ({ status: "abstained" }),
    async lookup(subject, signal) {
      const text = await read(keyOf(id, subject), signal);
      if (text === undefined) return undefined;
      // What another version has written says nothing about the user, who may still be there.
      const identity = readJson(identitySchema, text);
      if (identity === undefined) throw new BackendUnavailableError(id, "a remembered user cannot be read");
      return identity;
    },
    async check(signal) {
      await read(keyOf(id, "check"), signal);
    },
  };
}

/** Whom to remember, where, and for how long. */
export interface UserToRemember extends RememberedUsersOptions {
  /** That of the backend, which finds the user there. */
  readonly state: SharedState;
  /** Its `backend` is the id of the backend. */
  readonly identity: Identity;
}

/** Remembers somebody who has signed in, so that {@link rememberedUsers} knows them. */
export async function rememberUser({ state, identity, remember = thirtyDays }: UserToRemember): Promise<void> {
  const ttl = parseDuration(remember) ?? thirtyDays;
  await state.set(keyOf(identity.backend, identity.subject), JSON.stringify(identity), ttl);
}

/** The backend for configurations: `type: portal-users`. */
export const plugin: AuthBackendPlugin = definePlugin({
  type: "portal-users",
  options: optionsSchema,
  open: rememberedUsers,
});

function keyOf(backend: string, subject: string): string {
  return `portal/user/${createHash("sha256")
    .update(JSON.stringify([backend, subject]))
    .digest("base64url")}`;
}
