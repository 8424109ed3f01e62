import { userInfo } from "node:os";
import { type AccessTokens, createAccessTokens } from "@registry-gate/access-tokens";
import { type AuthBackend, InvalidOptionsError, type SharedState } from "@registry-gate/auth";
import { silentLog } from "@registry-gate/auth-kit";
import type { AuditedToken } from "../../audit/audit-event.ts";
import { tokenEvent } from "../../audit/gateway-events.ts";
import { recordAlone } from "../../audit/record-alone.ts";
import { type LoadedConfiguration, loadConfiguration } from "../../config/load.ts";
import type { AuditConfiguration } from "../../config/sections/audit.ts";
import { closeBackends, openBackends } from "../../gate/backends.ts";
import { issuanceOf } from "../../gate/gate-access-tokens.ts";
import { reportFaults } from "../config-file.ts";

/** A state that a command has opened for itself. */
export interface OpenedState {
  readonly state: SharedState;
  close(): Promise<void>;
}

/**
 * Opens the state that a configuration names.
 *
 * @throws {InvalidOptionsError} with paths from the root of the configuration, where it names none or cannot be opened.
 */
export type OpenState = (loaded: LoadedConfiguration) => Promise<OpenedState>;

/** What the commands on access tokens work with. */
export interface OpenedTokens {
  readonly tokens: AccessTokens;
  readonly backends: readonly AuthBackend[];
  /** Records in the audit what was done; says on standard error where it cannot. */
  readonly record: (outcome: "created" | "revoked", token: Omit<AuditedToken, "kind">) => Promise<void>;
}

/** Resolves to an exit code. */
type Work = (opened: OpenedTokens) => Promise<number>;

/**
 * Opens what a running gate of the configuration would use, for as long as `work` goes on. What is wrong with the
 * configuration is reported.
 *
 * @returns the exit code: that of `work`, or 1.
 */
export async function withTokens(file: string, openState: OpenState, work: Work): Promise<number> {
  try {
    return await openAndWork(file, openState, work);
  } catch (error) {
    if (!(error instanceof InvalidOptionsError)) throw error;
    reportFaults(file, error.faults);
    return 1;
  }
}

/** @throws {InvalidOptionsError} with paths from the root of the configuration. */
async function openAndWork(file: string, openState: OpenState, work: Work): Promise<number> {
  const loaded = await loadConfiguration(file, process.env);
  const { configuration, directory, placeholders } = loaded;
  const issuance = issuanceOf(configuration.auth.backends);
  if (issuance === undefined) {
    const message = "has no backend of the type access-token, so that no gate would accept a token";
    throw new InvalidOptionsError([{ path: ["auth", "backends"], message }]);
  }
  const { state, close } = await openState(loaded);
  try {
    const surroundings = { directory, placeholders, log: silentLog, warn: () => {}, state };
    const { backends, faults } = await openBackends(configuration.auth.backends, surroundings);
    try {
      if (faults.length > 0) throw new InvalidOptionsError(faults);
      const tokens = createAccessTokens({ state, backends, ...issuance });
      return await work({ tokens, backends, record: recorder(file, configuration.audit) });
    } finally {
      await closeBackends(backends, silentLog);
    }
  } finally {
    await close();
  }
}

function recorder(file: string, audit: AuditConfiguration | undefined): OpenedTokens["record"] {
  return async (outcome, token) => {
    const failure = await recordAlone(audit, tokenEvent(outcome, token, systemUser()));
    if (failure !== undefined) process.stderr.write(`${file}: not recorded in the audit: ${failure}\n`);
  };
}

/** Who runs the command. In a container the user may have a number alone. */
function systemUser(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid ${process.getuid?.() ?? "unknown"}`;
  }
}
