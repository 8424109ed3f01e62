/** The state store could not be used. What depends on it must fail closed: a client sees 503 and may try again. */
export class StateUnavailableError extends Error {
  override readonly name = "StateUnavailableError";
  readonly code = "STATE_UNAVAILABLE";

  /** @param reason For the log alone. Never holds a value, a password or a key. */
  constructor(reason: string, options?: ErrorOptions) {
    super(`the state store is unavailable: ${reason}`, options);
  }
}
