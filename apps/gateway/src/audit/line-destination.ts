import { systemErrorCode } from "@registry-gate/auth-kit";
import type { AuditEvent } from "./audit-event.ts";

/** An event with its line. */
export interface AuditLine {
  readonly event: AuditEvent;
  /** One line of JSON, with its end. */
  readonly text: string;
}

/** What lines are written to. Its methods are called one after the other. */
export interface LineDestination {
  /**
   * Hands lines to the system, in their order. Without lines: gets ready for some.
   *
   * @throws {AppendError} where only the first ones were taken. The next call begins with the first one that was not.
   */
  append(lines: readonly AuditLine[]): Promise<void>;
  /** Waits until all lines would outlive a crash of the machine, as far as that can be had. */
  sync(): Promise<void>;
  /** The next line goes to what has the name now, such as a new file. */
  reopen(): void;
  close(): Promise<void>;
}

export class AppendError extends Error {
  override readonly name = "AppendError";
  /** How many lines were taken as a whole. */
  readonly taken: number;

  /** @param reason Such as `ENOSPC`. */
  constructor(reason: string, taken: number) {
    super(reason);
    this.taken = taken;
  }
}

/** The code of an error of the system, such as `ENOSPC`, or its message. */
export function failureReason(error: unknown): string {
  return systemErrorCode(error) ?? (error instanceof Error ? error.message : String(error));
}
