import { z } from "zod";
import { auditEventKinds } from "../config/sections/audit.ts";
import type { AuditEvent } from "./audit-event.ts";

const time = z.iso.datetime();
const scalar = z.union([z.string(), z.number(), z.boolean()]);
const text = (description: string): z.ZodOptional<z.ZodString> => z.string().describe(description).optional();
const texts = (description: string): z.ZodOptional<z.ZodArray<z.ZodString>> =>
  z.array(z.string()).describe(description).optional();
const number = (description: string): z.ZodOptional<z.ZodNumber> => z.number().min(0).describe(description).optional();

const grant = z.strictObject({
  type: z.enum(["repository", "registry"]),
  name: z.string(),
  action: z.enum(["pull", "push", "delete", "*"]),
});

const shape = {
  id: z.uuid().describe("Unique for each event"),
  time: time.describe("When it ended, in UTC"),
  event: z.enum(auditEventKinds),
  requestId: text("As in the response's X-Request-Id and in the log"),
  subject: text("The stable identifier of the user in the backend"),
  username: text("The name of the user; of a token event by a command, the user of the system"),
  attemptedUsername: text("The user name of a rejected login, escaped, at most 128 characters"),
  backend: text("The id of the backend that authenticated the user"),
  via: z.enum(["basic", "bearer", "proxy", "session"]).describe("How the user signed in").optional(),
  groups: texts("The user's groups at that time"),
  ambiguousGroups: texts("Groups that only rules that deny regard"),
  groupsIncomplete: text("Why there may be groups that are not listed"),
  nameMatching: z
    .enum(["exact", "folded"])
    .describe("Present where rules compare the names without regard to case")
    .optional(),
  grants: z.array(grant).describe("What the login was limited to").optional(),
  address: text("Of the client"),
  agent: text("The User-Agent, escaped, at most 256 characters"),
  method: text("Of the request"),
  operation: text("What was asked for, such as put-manifest"),
  repository: text("The full name"),
  tag: text("The tag, or the first of several"),
  tags: texts("All tags, where a manifest was put by digest with several"),
  digest: text("Of the manifest or blob"),
  mediaType: text("Of the manifest"),
  origin: text("Scheme and host by which the client reached the gate"),
  decision: z
    .enum(["allowed", "unauthenticated", "denied", "throttled", "refused", "unavailable"])
    .describe("What the gate decided")
    .optional(),
  rule: z.int().min(0).describe("The index in access of the rule that decided").optional(),
  phase: z
    .enum(["validate", "route", "authenticate", "authorize", "forward", "respond"])
    .describe("The step in which the request ended")
    .optional(),
  bytes: number("Of the request's body, or of the response's where something was read"),
  milliseconds: number("How long the request took"),
  outcome: z
    .enum([
      ...(["completed", "client-aborted", "upstream-error", "timeout", "internal-error"] as const),
      ...(["reloaded", "rejected", "issued", "created", "revoked"] as const),
    ])
    .describe("How it ended"),
  status: z.int().min(100).max(599).describe("Of the response; 499 where the client left before it").optional(),
  reason: text("The reason, in one line"),
  cause: z
    .enum(["signal", "file", "retry"])
    .describe("What caused a reload: SIGHUP, a change of the file, or another attempt")
    .optional(),
  changes: z
    .array(z.strictObject({ path: z.string(), from: scalar.optional(), to: scalar.optional() }))
    .describe("What a reload changed, by paths of the configuration; values only where they cannot be secret")
    .optional(),
  faults: texts("Why a reload was rejected"),
  token: z
    .strictObject({
      kind: z.enum(["refresh", "access"]),
      id: z.string().optional(),
      name: z.string().optional(),
      owner: z.string().optional(),
      scopes: z.array(grant).optional(),
      expires: time.optional(),
    })
    .describe("The token that was issued, created or revoked")
    .optional(),
} satisfies Readonly<Record<keyof AuditEvent, z.ZodType>>;

/** One line of the audit. */
const auditEventSchema = z.strictObject(shape);
const readableEventSchema = z.object(shape);

/** JSON Schema, draft 2020-12, of one line of the audit. */
export function auditJsonSchema(): Readonly<Record<string, unknown>> {
  return { title: "registry-gate audit event", ...z.toJSONSchema(auditEventSchema) };
}

/** Whether replaying can read something: a later version may have further members. */
export function isAuditEvent(value: unknown): value is AuditEvent {
  return readableEventSchema.safeParse(value).success;
}

/** What is wrong with one line of the audit; `undefined` for one that is as the schema says. */
export function auditEventFault(value: unknown): string | undefined {
  const { success, error } = auditEventSchema.safeParse(value);
  return success ? undefined : z.prettifyError(error);
}
