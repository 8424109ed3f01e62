/**
 * The backend cannot decide: the directory is down, slow, or rejects the service account. The client gets a 503, keeps
 * its password and may try again.
 */
export class BackendUnavailableError extends Error {
  override readonly name = "BackendUnavailableError";
  readonly code = "BACKEND_UNAVAILABLE";
  /** The {@link AuthBackend.id} of the backend. */
  readonly backend: string;

  /** @param reason For the log alone. Never holds a secret. */
  constructor(backend: string, reason: string, options?: ErrorOptions) {
    super(`${backend}: ${reason}`, options);
    this.backend = backend;
  }
}

/** One fault in the options of a backend or of the gate. */
export interface Fault {
  /** Keys and indexes from the outermost inwards. Empty for the whole value. */
  readonly path: readonly (string | number)[];
  /** One line that says what was expected. Never quotes a secret. */
  readonly message: string;
}

/** The options are invalid. It holds every fault that was found, not only the first. */
export class InvalidOptionsError extends Error {
  override readonly name = "InvalidOptionsError";
  readonly code = "INVALID_OPTIONS";
  readonly faults: readonly Fault[];

  constructor(faults: readonly Fault[], options?: ErrorOptions) {
    super(faults.map(formatFault).join("\n"), options);
    this.faults = faults;
  }
}

/** Formats a fault as one line, such as `auth.backends[0].file: no such file: users`. */
export function formatFault(fault: Fault): string {
  const where = fault.path.reduce<string>(
    (path, key) => (typeof key === "number" ? `${path}[${key}]` : path === "" ? key : `${path}.${key}`),
    "",
  );
  return where === "" ? fault.message : `${where}: ${fault.message}`;
}
