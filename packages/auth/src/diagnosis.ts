import type { Identity } from "./identity.ts";

/** Whom a diagnosis signs in. */
export interface DiagnosisLogin {
  readonly username: string;
  /** Without it, the user is looked up and nobody is signed in. */
  readonly password?: string;
}

/** One step of a diagnosis, told as soon as it is done. */
export interface DiagnosisStep {
  /** What was tried, in a word such as `connect` or `service-bind`. */
  readonly step: string;
  /** What it was tried on, such as the URL of a server. */
  readonly target: string;
  readonly outcome: "ok" | "failed";
  /**
   * What the outcome says something about: the backend and how it is set up, or this login alone. An `ok` about the
   * login says that, with its password, `AuthBackend.authenticate` would let it in.
   */
  readonly about: "backend" | "login";
  readonly milliseconds: number;
  /** What was found, by name, each in one line; where it failed, a `reason`. Never a secret. */
  readonly details: Readonly<Record<string, string | readonly string[]>>;
  /** Who the user would be once signed in, of the step that completes the finding. */
  readonly identity?: Identity;
}
