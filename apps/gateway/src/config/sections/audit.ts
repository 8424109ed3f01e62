import { z } from "zod";
import { everyAddress, parseListenAddress } from "../address.ts";
import { byteSize } from "../byte-size.ts";
import { type MakeAbsolute, type Section, withAbsolute } from "../section.ts";
import { list, text, wholeNumber } from "../value-schemas.ts";

/** What an audit event is about. */
export const auditEventKinds = [
  /** A manifest was put, or an allowed attempt failed. */
  "push",
  /** A manifest or a blob was deleted, or an allowed attempt failed. */
  "delete",
  /** A caller who is known may not do this; also an access token without the scope. */
  "denied",
  /** Credentials that are not valid, or no longer. */
  "login-failed",
  /** A manifest was read by GET. */
  "pull",
  /** 429: too many failed logins, or too many concurrent requests of one client. */
  "throttled",
  /** A changed configuration was applied or rejected. */
  "reload",
  /** A refresh token was issued; an access token was created or revoked. */
  "token",
  /** A blob was uploaded whole, mounted or read. */
  "blob",
] as const;

export type AuditEventKind = (typeof auditEventKinds)[number];

/** Without reads, which are as many as all others together. */
const defaultEvents: readonly AuditEventKind[] = auditEventKinds.filter((kind) => kind !== "pull" && kind !== "blob");

export interface AuditConfiguration {
  readonly output: AuditOutput;
  /** Default: all but `pull` and `blob`. */
  readonly events?: readonly AuditEventKind[];
  /** What becomes of writes while the audit cannot be written. Default `continue`. */
  readonly onFailure?: "continue" | "block";
}

export type AuditOutput = "stdout" | "syslog" | AuditFileOutput | { readonly syslog: SyslogOptions };

export interface AuditFileOutput {
  readonly file: string;
  /** In bytes. */
  readonly maxSize?: number;
  /** How many full files are kept. */
  readonly keep?: number;
}

export interface SyslogOptions {
  readonly address?: SyslogAddress;
  readonly facility?: Facility;
  readonly appName?: string;
}

export type SyslogAddress = { readonly host: string; readonly port: number } | { readonly socket: string };

/** RFC 5424, section 6.2.1, by the names that syslog(3) has for them; each one's index is its number. */
const facilities = [
  ..."kern user mail daemon auth syslog lpr news uucp cron authpriv ftp ntp security console solaris-cron".split(" "),
  ...Array.from({ length: 8 }, (_, index) => `local${index}`),
];
export type Facility = string;

/** The number of a facility. */
export function facilityNumber(facility: Facility): number {
  return facilities.indexOf(facility);
}

const addressForm = "must be host:port, [IPv6 address]:port or unix:/path";
const syslogAddress: z.ZodType<SyslogAddress, string> = z.string(addressForm).transform((value, context) => {
  const parsed = parseListenAddress(value);
  if (parsed !== undefined && "socket" in parsed) return parsed;
  if (parsed !== undefined && "host" in parsed && parsed.host !== everyAddress) return parsed;
  context.addIssue({ code: "custom", message: addressForm });
  return z.NEVER;
});

const outputForm = "must be stdout, syslog, or hold file or syslog";
const output: z.ZodType<AuditOutput> = z.union(
  [
    z.literal(["stdout", "syslog"], outputForm),
    z.strictObject({
      file: text().describe("A file of one JSON object a line, which is appended to"),
      maxSize: byteSize(64 * 1024, "must be a size such as 64MiB, and at least 64KiB")
        .describe("How long the file may become before another one is begun; 100MiB by default")
        .exactOptional(),
      keep: wholeNumber()
        .max(10_000, "must be at most 10000")
        .describe("How many full files are kept, as FILE.1 (the newest), FILE.2, and so on; 10 by default")
        .exactOptional(),
    }),
    z.strictObject({
      syslog: z.strictObject({
        address: syslogAddress
          .describe(
            "host:port of a syslog server that takes TCP, or unix:/path of a stream socket; 127.0.0.1:514 by default",
          )
          .exactOptional(),
        facility: z
          .enum(facilities, "must be the name of a syslog facility such as local0")
          .describe("The facility of each message, such as authpriv; local0 by default")
          .exactOptional(),
        appName: z
          .string("must be text")
          .regex(/^[\x21-\x7e]{1,48}$/, "must be 1 to 48 printable ASCII characters without spaces")
          .describe("APP-NAME of each message; registry-gate by default")
          .exactOptional(),
      }),
    }),
  ],
  outputForm,
);

export const auditSection: Section<AuditConfiguration> = {
  schema: z.strictObject(
    {
      output: output.describe("Where events are written to: stdout, syslog, or an object with file or syslog"),
      events: list(z.enum(auditEventKinds, `must be one of ${auditEventKinds.join(", ")}`))
        .describe("What is recorded; everything but pull and blob by default")
        .exactOptional(),
      onFailure: z
        .enum(["continue", "block"], "must be continue or block")
        .describe("Whether writes are refused with 503 while events cannot be written; continue by default")
        .exactOptional(),
    },
    "must hold output",
  ),
  substitutes: [{ path: ["output"], value: "stdout" }],
  withAbsolutePaths: (audit, absolute) => ({ ...audit, output: outputWithAbsolutePaths(audit.output, absolute) }),
};

function outputWithAbsolutePaths(output: AuditOutput, absolute: MakeAbsolute): AuditOutput {
  if (typeof output === "string") return output;
  if ("file" in output) return withAbsolute(output, ["file"], absolute);
  const { address, ...rest } = output.syslog;
  if (address === undefined || !("socket" in address)) return output;
  return { syslog: { ...rest, address: { socket: absolute(address.socket) } } };
}

/** The kinds of events that are recorded. */
export function recordedEvents({ events = defaultEvents }: AuditConfiguration): ReadonlySet<AuditEventKind> {
  return new Set(events);
}
