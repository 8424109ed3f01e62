import type { ServerResponse } from "node:http";

/** Error codes of the OCI distribution specification 1.1 ("Error Codes"), and docker-registry's own. */
export type ProblemCode =
  | "BLOB_UNKNOWN"
  | "BLOB_UPLOAD_INVALID"
  | "BLOB_UPLOAD_UNKNOWN"
  | "DIGEST_INVALID"
  | "MANIFEST_BLOB_UNKNOWN"
  | "MANIFEST_INVALID"
  | "MANIFEST_UNKNOWN"
  | "NAME_INVALID"
  | "NAME_UNKNOWN"
  | "PAGINATION_NUMBER_INVALID"
  | "RANGE_INVALID"
  | "SIZE_INVALID"
  | "TAG_INVALID"
  | "DENIED"
  | "UNKNOWN"
  | "UNSUPPORTED";

/** An answer that says what was wrong with a request. Thrown by the routes, sent by the server. */
export class Problem extends Error {
  readonly status: number;
  readonly code: ProblemCode;
  readonly detail: unknown;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    status: number,
    code: ProblemCode,
    message: string,
    detail: unknown = null,
    headers: Readonly<Record<string, string>> = {},
  ) {
    super(message);
    this.name = "Problem";
    this.status = status;
    this.code = code;
    this.detail = detail;
    this.headers = headers;
  }
}

/** The body of an error in the OCI format. */
export function problemBody(code: ProblemCode, message: string, detail: unknown = null): string {
  return `${JSON.stringify({ errors: [{ code, message, detail }] })}\n`;
}

/** Sends `problem`, unless an answer has already begun: then the connection is cut, so that nobody takes it for whole. */
export function sendProblem(response: ServerResponse, problem: Problem): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const body = problemBody(problem.code, problem.message, problem.detail);
  response.writeHead(problem.status, {
    "content-type": "application/json; charset=utf-8",
    "content-length": Buffer.byteLength(body),
    ...problem.headers,
  });
  response.end(body);
}
