import { MalformedResponseError, type ParsedHead } from "./response-head.ts";

/** The framing of a body, and whether the connection can be reused after it. */
export interface BodyFraming {
  /** A length in bytes, chunks, or everything until the registry closes the connection. */
  readonly body: number | "chunked" | "until-close";
  readonly reusable: boolean;
}

const lengthPattern = /^\d{1,15}$/;

/**
 * Determines the framing of the body of a final response (RFC 9112, section 6.3).
 *
 * @throws {MalformedResponseError} for ambiguous framing: a length and chunks, an invalid length, a coding other than
 * `chunked`, or one in HTTP/1.0.
 */
export function framingOf({ minor, statusCode, headers }: ParsedHead, method: string): BodyFraming {
  const coding = headers["transfer-encoding"];
  const length = headers["content-length"];
  if (coding !== undefined && (coding.toLowerCase() !== "chunked" || minor === 0 || length !== undefined)) {
    throw new MalformedResponseError("the framing of the body is ambiguous");
  }
  if (length !== undefined && !lengthPattern.test(length)) throw new MalformedResponseError("the length is malformed");
  const persistent = minor === 1 && !closes(headers.connection);
  if (method === "HEAD" || statusCode === 304) return { body: 0, reusable: persistent };
  if (statusCode === 204) {
    // A forbidden body might follow anyway.
    const announced = coding !== undefined || (length !== undefined && Number(length) > 0);
    return { body: 0, reusable: persistent && !announced };
  }
  if (coding !== undefined) return { body: "chunked", reusable: persistent };
  if (length !== undefined) return { body: Number(length), reusable: persistent };
  return { body: "until-close", reusable: false };
}

function closes(connection: string | undefined): boolean {
  return connection !== undefined && /(?:^|,)[ \t]*close[ \t]*(?:,|$)/i.test(connection);
}
