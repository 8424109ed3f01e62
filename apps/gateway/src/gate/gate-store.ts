import { type Fault, InvalidOptionsError, type Logger } from "@registry-gate/auth";
import type { StateStore } from "@registry-gate/state";
import type { Configuration } from "../config/configuration.ts";
import { challengeOf } from "../config/sections/auth.ts";
import { defaultState } from "../state/default-state.ts";
import type { LeaseState, StateLease } from "../state/state-leases.ts";
import { hasRefreshTokens } from "./gate-tokens.ts";

/** The stores of one gate. */
export interface GateStore {
  /** As configured; absent where nothing is. */
  readonly configured: StateStore | undefined;
  /** Where failed logins are counted. Absent: in the memory of this process. */
  readonly counting: StateStore | undefined;
  /** Where tokens and sessions are kept; absent where there are none. */
  readonly tokens: StateStore | undefined;
  release(): Promise<void>;
}

export interface StoreSurroundings {
  /** The directory of the configuration. */
  readonly directory: string;
  readonly leaseState: LeaseState;
  /** Where tokens are kept if nothing is configured and no file can be had. It outlives a reload. */
  readonly memory: StateStore;
  /** What the processes of one gate share where nothing is configured; absent where there is one process. */
  readonly processState: StateStore | undefined;
  readonly log: Logger;
  readonly warn: (fault: Fault) => void;
  /** Whether there are pages, whose sessions need a store. */
  readonly keepsSessions: boolean;
}

/**
 * Opens what `state` names. Where tokens need a store and none is named, it is a file beside the configuration, or else the
 * memory of the process, with a warning.
 *
 * @throws {InvalidOptionsError} where a store that is named cannot be used.
 */
export async function openGateStore(
  configuration: Configuration,
  { directory, leaseState, memory, processState, log, warn, keepsSessions }: StoreSurroundings,
): Promise<GateStore> {
  const { state } = configuration;
  if (state !== undefined) {
    const lease = await leaseState(state, log);
    return {
      configured: lease?.store,
      counting: lease?.store,
      tokens: lease?.store ?? memory,
      release: async () => lease?.release(),
    };
  }
  if (!keepsSessions && !keepsTokens(configuration))
    return { configured: undefined, counting: processState, tokens: undefined, release: async () => {} };
  let lease: StateLease | undefined;
  try {
    lease = await leaseState(defaultState(directory), log);
  } catch (error) {
    if (!(error instanceof InvalidOptionsError)) throw error;
    const [fault] = error.faults;
    const message = `is missing, and state.db beside the configuration cannot be used (${fault?.message}): logins without a password end with the process`;
    warn({ path: ["state"], message });
    return { configured: undefined, counting: processState, tokens: processState ?? memory, release: async () => {} };
  }
  return {
    configured: undefined,
    counting: processState,
    tokens: lease?.store ?? memory,
    release: async () => lease?.release(),
  };
}

function keepsTokens({ auth, access }: Configuration): boolean {
  if (auth.backends.some(({ type }) => type === "access-token" || type === "portal-users")) return true;
  return challengeOf(auth, access) === "bearer" && hasRefreshTokens(auth.token);
}
