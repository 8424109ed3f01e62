import { type Fault, formatFault } from "@registry-gate/auth";

/** The entry of a user cannot be written. */
export class SetPasswordError extends Error {
  override readonly name = "SetPasswordError";
  readonly code = "SET_PASSWORD_FAILED";
  /** Every fault; the path is `file`, `username` or `password`. */
  readonly faults: readonly Fault[];

  constructor(faults: readonly Fault[], options?: ErrorOptions) {
    super(faults.map(formatFault).join("\n"), options);
    this.faults = faults;
  }
}
