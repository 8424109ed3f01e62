import type { Grants, LoginMethod, NameMatching } from "@registry-gate/auth";
import type { Decision, Outcome, Phase } from "@registry-gate/core";
import type { AuditEventKind } from "../config/sections/audit.ts";

/** One line of the audit: plain JSON, without any secret. Members that do not apply are left out. */
export interface AuditEvent {
  /** Unique for each event. */
  readonly id: string;
  /** When it ended, in UTC with milliseconds (RFC 3339). */
  readonly time: string;
  readonly event: AuditEventKind;
  /** As in the response's `X-Request-Id` and in the log. */
  readonly requestId?: string;
  /** The stable identifier of the user in the backend. */
  readonly subject?: string;
  readonly username?: string;
  /** The user name of a rejected login, escaped; absent with `log.attemptedNames: false`. */
  readonly attemptedUsername?: string;
  readonly backend?: string;
  /** How the user signed in. */
  readonly via?: LoginMethod;
  /** The user's groups at that time; at most {@link mostGroups}. */
  readonly groups?: readonly string[];
  /** Groups that only rules that deny regard. */
  readonly ambiguousGroups?: readonly string[];
  /** Why there may be groups that are not listed. */
  readonly groupsIncomplete?: string;
  /** Present where rules compare the names without regard to case. */
  readonly nameMatching?: NameMatching;
  /** What the login was limited to; absent without a limit. */
  readonly grants?: Grants;
  /** Of the client. */
  readonly address?: string;
  /** The `User-Agent`, at most 256 characters, escaped. */
  readonly agent?: string;
  readonly method?: string;
  readonly operation?: string;
  readonly repository?: string;
  readonly tag?: string;
  /** All tags, where a manifest was put by digest with several. */
  readonly tags?: readonly string[];
  readonly digest?: string;
  /** Of a manifest. */
  readonly mediaType?: string;
  /** Scheme and host by which the client reached the gate. */
  readonly origin?: string;
  readonly decision?: Decision;
  /** The index in `access` of the rule that decided, as `explain` names it. */
  readonly rule?: number;
  readonly phase?: Phase;
  /** Of the request's body, or of the response's where something was read. */
  readonly bytes?: number;
  readonly milliseconds?: number;
  readonly outcome: Outcome | ReloadOutcome | TokenOutcome;
  /** Of the response; 499 where the client disconnected before it. */
  readonly status?: number;
  readonly reason?: string;
  /** What caused a reload. */
  readonly cause?: ReloadCause;
  /** What a reload changed, by the paths of the configuration. */
  readonly changes?: readonly ConfigurationChange[];
  /** Why a reload was rejected, one line for each fault. */
  readonly faults?: readonly string[];
  readonly token?: AuditedToken;
}

export type ReloadOutcome = "reloaded" | "rejected";
export type TokenOutcome = "issued" | "created" | "revoked";

/** `signal`: SIGHUP. `file`: it changed. `retry`: a rejected one was tried again. */
export type ReloadCause = "signal" | "file" | "retry";

/** A key whose value changed. The values are given only where they cannot be secret. */
export interface ConfigurationChange {
  /** Such as `access[2].actions`. */
  readonly path: string;
  readonly from?: string | number | boolean;
  readonly to?: string | number | boolean;
}

/** A token, without anything that could be used as one. */
export interface AuditedToken {
  readonly kind: "refresh" | "access";
  /** As `token list` shows it. */
  readonly id?: string;
  readonly name?: string;
  readonly owner?: string;
  readonly scopes?: Grants;
  /** RFC 3339. */
  readonly expires?: string;
}

/** More groups than this are left out, and counted in `groupsIncomplete`. */
export const mostGroups = 512;
