import { z } from "@registry-gate/auth-kit";
import type { RequestRecord } from "@registry-gate/core";
import { readJson } from "../read-json.ts";

/** What somebody did, or tried to. */
export interface ActivityEvent {
  readonly id: string;
  /** In milliseconds since the epoch. */
  readonly time: number;
  readonly kind: "push" | "pull" | "delete" | "denied" | "login-failed" | "throttled";
  /** Of the user, or, for a failed login, the name that was tried. */
  readonly username?: string;
  readonly repository?: string;
  /** A tag, or a digest. */
  readonly reference?: string;
  readonly address?: string;
  readonly agent?: string;
}

/** The activity of one user, or of all: a bounded list, and counts by day. */
export interface ActivityLog {
  /** The newest first. */
  readonly events: readonly ActivityEvent[];
  /** By day in UTC, such as `2026-11-28`: how many pushes and pulls. */
  readonly days: Readonly<Record<string, readonly [pushes: number, pulls: number]>>;
}

export const emptyLog: ActivityLog = { events: [], days: {} };

const eventSchema: z.ZodType<ActivityEvent> = z.strictObject({
  id: z.string(),
  time: z.number(),
  kind: z.enum(["push", "pull", "delete", "denied", "login-failed", "throttled"]),
  username: z.string().exactOptional(),
  repository: z.string().exactOptional(),
  reference: z.string().exactOptional(),
  address: z.string().exactOptional(),
  agent: z.string().exactOptional(),
});

const logSchema: z.ZodType<ActivityLog> = z.strictObject({
  events: z.array(eventSchema),
  days: z.record(z.string(), z.tuple([z.number(), z.number()])),
});

/** What another version has written counts as nothing: the list begins anew. */
export function parseLog(text: string): ActivityLog {
  return readJson(logSchema, text) ?? emptyLog;
}

/**
 * Makes an event of a request. A manifest is one image: its layers are not counted. `undefined` for what is no activity.
 */
export function eventOf(record: RequestRecord, time: number): ActivityEvent | undefined {
  const kind = kindOf(record);
  if (kind === undefined) return undefined;
  const { requestId, username, attemptedUsername, repository, reference, client, agent } = record;
  const name = username ?? attemptedUsername;
  return {
    ...{ id: requestId, time, kind },
    ...(name !== undefined && { username: cut(name) }),
    ...(repository !== undefined && { repository: cut(repository) }),
    ...(reference !== undefined && { reference: cut(reference) }),
    ...(client !== undefined && { address: client }),
    ...(agent !== undefined && { agent: cut(agent) }),
  };
}

function kindOf(record: RequestRecord): ActivityEvent["kind"] | undefined {
  const { decision, operation, method, status, loginRejected, phase, principal } = record;
  // Too many requests at once are throttled as well, of somebody who has signed in or is not known yet.
  if (decision === "throttled") return phase === "authenticate" && principal === undefined ? "throttled" : undefined;
  if (decision === "unauthenticated") return loginRejected ? "login-failed" : undefined;
  if (decision === "denied") return "denied";
  if (decision !== "allowed" || status >= 300) return undefined;
  if (operation === "put-manifest") return "push";
  if (operation === "get-manifest" && method === "GET") return "pull";
  return operation === "delete-manifest" ? "delete" : undefined;
}

function cut(text: string): string {
  return text.slice(0, 256).toWellFormed();
}
