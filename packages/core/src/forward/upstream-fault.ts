import type { ErrorResponse } from "../respond/error-response.ts";

/** The registry did not give what the gate itself asked of it. */
export class UpstreamFault extends Error {
  override readonly name = "UpstreamFault";
  /** What the client is told instead. */
  readonly response: ErrorResponse;

  constructor(response: ErrorResponse, reason: string, options?: ErrorOptions) {
    super(reason, options);
    this.response = response;
  }
}

/** Why a request to the registry failed, in one line, without the registry's name and address. */
export function reasonOf(error: Error): string {
  const code = "code" in error && typeof error.code === "string" ? error.code : undefined;
  if (code === undefined) return error.message;
  if ("syscall" in error && typeof error.syscall === "string") return `${error.syscall} ${code}`;
  // A certificate's fault quotes the names; where every address of a name failed, nothing is said at all.
  return code.startsWith("ERR_TLS_") || error.message === "" ? code : error.message;
}
