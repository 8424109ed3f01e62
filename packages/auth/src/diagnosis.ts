import type { Identity } from "./identity.ts";

/** The login that a diagnosis tries. */
export interface DiagnosisLogin {
  readonly username: string;
  /** Without it, the diagnosis looks the user up without a login. */
  readonly password?: string;
}

/** One step of a diagnosis, reported as soon as it is done. */
export interface DiagnosisStep {
  /** A short name of the step, such as `connect` or `service-bind`. */
  readonly step: string;
  /** The target of the step, such as the URL of a server. */
  readonly target: string;
  readonly outcome: "ok" | "failed";
  /**
   * Whether the outcome concerns the backend and its options, or this login alone. An `ok` about the login means that
   * `AuthBackend.authenticate` would accept it with its password.
   */
  readonly about: "backend" | "login";
  readonly milliseconds: number;
  /** The findings by name, each one line; a failed step has a `reason`. Never a secret. */
  readonly details: Readonly<Record<string, string | readonly string[]>>;
  /** The identity of the user, in the last step of a successful diagnosis. */
  readonly identity?: Identity;
}
