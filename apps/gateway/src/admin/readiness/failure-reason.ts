import { noResponse } from "./cached-check.ts";

/** Texts of the gate's own about a registry, which name nothing that is configured. */
const ownWords = /^(?:responds with |the registry re)/;
const errorCode = /\b(?:E[A-Z][A-Z_]{3,}|(?:UNABLE|SELF|DEPTH|CERT|ERR)_[A-Z_0-9]+)\b/;

/**
 * Why a check has failed, for whoever may ask: as a code, or in words of the gate's own. The message of an error may have
 * addresses, names of users, and with a backend of a third party anything.
 */
export function failureReason(error: unknown): string {
  for (let cause = error, depth = 0; cause instanceof Error && depth < 5; cause = cause.cause, depth++) {
    if (cause.name === "TimeoutError" || cause.message === noResponse) return noResponse;
    if (ownWords.test(cause.message)) return cause.message;
    const code = "code" in cause && typeof cause.code === "string" ? cause.code : "";
    if (errorCode.test(code)) return code;
  }
  const message = error instanceof Error ? error.message : "";
  if (message === "socket hang up") return "ECONNRESET";
  const [code] = errorCode.exec(message) ?? [];
  return code ?? "unavailable";
}
