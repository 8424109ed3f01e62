import { MalformedResponseError, type ParsedHead } from "./response-head.ts";

/** How the end of a body is found, and whether the connection can serve another response after it. */
export interface BodyFraming {
  /** A length in bytes, chunks, or everything until the registry closes the connection. */
  readonly body: number | "chunked" | "until-close";
  readonly reusable: boolean;
}

const lengthPattern = /^\d{1,15}$/;

/**
 * Finds out how the body of a final response is framed (RFC 9112, section 6.3).
 *
 * @throws {MalformedResponseError} where that is not beyond doubt: a length beside chunks, a length that is not one number,
 * a coding other than `chunked`, or one in HTTP/1.0.
 */
export function framingOf({ minor, statusCode, headers }: ParsedHead, method: "GET" | "HEAD"): BodyFraming {
  const coding = headers["transfer-encoding"];
  const length = headers["content-length"];
  if (coding !== undefined && (coding.toLowerCase() !== "chunked" || minor === 0 || length !== undefined)) {
    throw new MalformedResponseError("the framing of the body is ambiguous");
  }
  if (length !== undefined && !lengthPattern.test(length)) throw new MalformedResponseError("the length is malformed");
  const persistent = minor === 1 && !closes(headers.connection);
  if (method === "HEAD" || statusCode === 304) return { body: 0, reusable: persistent };
  if (statusCode === 204) {
    // A body that must not be there might come all the same.
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
