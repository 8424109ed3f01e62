/**
 * The backend could not find out: the directory is down, slow, or does not let the gate in. The client sees 503, keeps
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

/** One thing that is wrong with the options of a backend or of the gate. */
export interface Fault {
  /** Where: keys and indexes from the outermost inwards. Empty for the whole. */
  readonly path: readonly (string | number)[];
  /** What: one line, which says what was expected. Never quotes a secret. */
  readonly message: string;
}

/** The options cannot be used. It holds every fault that was found, not only the first. */
export class InvalidOptionsError extends Error {
  override readonly name = "InvalidOptionsError";
  readonly code = "INVALID_OPTIONS";
  readonly faults: readonly Fault[];

  constructor(faults: readonly Fault[], options?: ErrorOptions) {
    super(faults.map(formatFault).join("\n"), options);
    this.faults = faults;
  }
}

/** Writes a fault as one line, such as `auth.backends[0].file: no such file: users`. */
export function formatFault(fault: Fault): string {
  const where = fault.path.reduce<string>(
    (path, key) => (typeof key === "number" ? `${path}[${key}]` : path === "" ? key : `${path}.${key}`),
    "",
  );
  return where === "" ? fault.message : `${where}: ${fault.message}`;
}
