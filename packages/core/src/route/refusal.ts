/** Error codes of the OCI distribution specification 1.1, and further ones that registries have in common. */
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

/** The error for an invalid request, which is not forwarded. */
export interface Refusal {
  readonly status: 400 | 404 | 405 | 415 | 417 | 431 | 505;
  readonly code: ErrorCode;
  /** For the client and the log. Never quotes the request. */
  readonly message: string;
  /** The methods that the path supports, for a 405. */
  readonly allow?: readonly string[];
}

/** Thrown and caught inside the parser only. */
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
