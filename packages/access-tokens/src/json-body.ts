import type { IncomingMessage } from "node:http";
import { collectBody } from "@registry-gate/auth-kit";

/** A body that cannot be used, and the status that says so. */
export class BodyError extends Error {
  override readonly name = "BodyError";
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

const mostBytes = 65_536;

/** Whether a request says that its body is JSON: no form of another site can (Fetch, section "CORS-safelisted request-header"). */
export function hasJson({ headers }: IncomingMessage): boolean {
  return /^application\/json[ \t]*(?:;|$)/i.test(headers["content-type"] ?? "");
}

/**
 * Reads a body of JSON, or takes what a parser of the app has read already.
 *
 * @throws {BodyError}
 */
export async function readJson(request: IncomingMessage & { readonly body?: unknown }): Promise<unknown> {
  if (request.body !== undefined) return request.body;
  // Otherwise a body that is too long would end the connection before the response.
  const bytes = await collectBody(request.iterator({ destroyOnReturn: false }), mostBytes);
  if (bytes === undefined) throw new BodyError(413, `the body is longer than ${mostBytes} bytes`);
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    throw new BodyError(400, "the body is not JSON");
  }
}
