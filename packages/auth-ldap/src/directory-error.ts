/**
 * Why an LDAP operation failed:
 *
 * - `connect`: the server could not be reached, or TLS failed; `slow` marks a timeout
 * - `lost`: the connection ended while an operation was under way
 * - `timeout`: an operation got no response in time
 * - `protocol`: the response is not LDAP, or does not match the request
 * - `result`: a result code that decides nothing: busy, unavailable, truncated, refused
 * - `content`: a response exceeds a bound, or an entry is invalid; the server itself may be fine, but the
 *   connection is closed
 * - `service`: the server rejected the service account
 * - `crowded`: no connection became free in time
 * - `aborted`: the caller aborted the request
 */
export type DirectoryErrorKind =
  | "connect"
  | "lost"
  | "timeout"
  | "protocol"
  | "result"
  | "content"
  | "service"
  | "crowded"
  | "aborted";

/** An LDAP operation failed. The message is one line for the log and holds no secret. */
export class DirectoryError extends Error {
  override readonly name = "DirectoryError";
  readonly kind: DirectoryErrorKind;
  /** The LDAP result code, where there was one. */
  readonly code: number | undefined;
  /** Of `connect`: the server did not respond at all. */
  readonly slow: boolean;
  /** Of `connect`: a server that is being started again may be there in a moment. Of `lost`: nothing had been sent. */
  readonly transient: boolean;

  constructor(
    kind: DirectoryErrorKind,
    message: string,
    details: {
      readonly code?: number;
      readonly slow?: boolean;
      readonly transient?: boolean;
      readonly cause?: unknown;
    } = {},
  ) {
    super(oneLine(message), details.cause === undefined ? {} : { cause: details.cause });
    this.kind = kind;
    this.code = details.code;
    this.slow = details.slow ?? false;
    this.transient = details.transient ?? false;
  }
}

/** More than any honest directory sends, or an entry that makes no sense. */
export function invalidContent(message: string): DirectoryError {
  return new DirectoryError("content", message);
}

export function aborted(): DirectoryError {
  return new DirectoryError("aborted", "the request was aborted");
}

/** What an error of the system or of TLS says, without the address that Node writes into it. */
export function describeCause(error: unknown): string {
  if (!(error instanceof Error)) return "unknown fault";
  const code = "code" in error && typeof error.code === "string" ? error.code : undefined;
  const inner = "errors" in error && Array.isArray(error.errors) ? error.errors[0] : undefined;
  if (error.message === "" && inner instanceof Error) return describeCause(inner);
  if ("syscall" in error && code !== undefined) return NAMES[code] ?? code;
  return oneLine(error.message === "" ? (code ?? error.name) : error.message);
}

/** Whether an error of the system says that nobody listens, or no longer. */
export function isRefusal(error: unknown): boolean {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return code === "ECONNREFUSED" || code === "ECONNRESET" || code === "EPIPE";
}

const NAMES: Readonly<Record<string, string>> = {
  ECONNREFUSED: "connection refused",
  ECONNRESET: "connection reset",
  EHOSTUNREACH: "no route to the host",
  ENETUNREACH: "no route to the network",
  ENOTFOUND: "the host name is unknown",
  EAI_AGAIN: "the host name cannot be looked up now",
  EPIPE: "connection closed",
  ETIMEDOUT: "timed out",
};

function oneLine(text: string): string {
  return text.replace(/[\0-\x1f\x7f]+/g, " ").trim();
}
