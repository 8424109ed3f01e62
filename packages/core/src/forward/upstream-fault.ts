import type { ErrorResponse } from "../respond/error-response.ts";

/** The registry did not respond as expected to a request of the gate. */
export class UpstreamFault extends Error {
  override readonly name = "UpstreamFault";
  /** The response for the client. */
  readonly response: ErrorResponse;

  constructor(response: ErrorResponse, reason: string, options?: ErrorOptions) {
    super(reason, options);
    this.response = response;
  }
}

/** The reason of a failed request, in one line, without the registry's name and address. */
export function reasonOf(error: Error): string {
  const code = "code" in error && typeof error.code === "string" ? error.code : undefined;
  if (code === undefined) return error.message;
  if ("syscall" in error && typeof error.syscall === "string") return `${error.syscall} ${code}`;
  // Messages about certificates contain host names; the message is empty where every address of a host failed.
  return code.startsWith("ERR_TLS_") || error.message === "" ? code : error.message;
}
