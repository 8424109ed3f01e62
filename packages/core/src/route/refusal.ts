/** Error codes of the OCI distribution specification 1.1, and those that registries have in common beyond it. */
export type ErrorCode =
  | "BLOB_UPLOAD_INVALID"
  | "BLOB_UPLOAD_UNKNOWN"
  | "DENIED"
  | "DIGEST_INVALID"
  | "MANIFEST_UNKNOWN"
  | "NAME_INVALID"
  | "PAGINATION_NUMBER_INVALID"
  | "TAG_INVALID"
  | "UNAUTHORIZED"
  | "UNAVAILABLE"
  | "UNKNOWN"
  | "UNSUPPORTED";

/** A request that is not one the registry is asked: what is wrong with it. */
export interface Refusal {
  readonly status: 400 | 404 | 405 | 415 | 417 | 431 | 505;
  readonly code: ErrorCode;
  /** For the client and the log. Never quotes the request. */
  readonly message: string;
  /** The methods that the path does know, for a 405. */
  readonly allow?: readonly string[];
}

/** Thrown inside the parser alone, and caught at its one entry. */
export class RefusedError extends Error {
  readonly refusal: Refusal;

  constructor(refusal: Refusal) {
    super(refusal.message);
    this.refusal = refusal;
  }
}

export function refuse(status: Refusal["status"], code: ErrorCode, message: string, allow?: readonly string[]): never {
  throw new RefusedError(allow === undefined ? { status, code, message } : { status, code, message, allow });
}
