import { MalformedResponseError, type ParsedHead } from "../../../src/forward/direct/response-head.ts";
import { responseReader } from "../../../src/forward/direct/response-reader.ts";

/** What became of a response. */
export interface ReadResponse {
  readonly head: ParsedHead | undefined;
  readonly body: string;
  readonly complete: boolean;
  readonly reusable: boolean;
  /** Why it is none. */
  readonly fault: string | undefined;
}

/** Reads a response that comes in these chunks, after which the registry perhaps closes the connection. */
export function readResponse(
  chunks: readonly string[],
  { method = "GET", closed = false }: { method?: string; closed?: boolean } = {},
): ReadResponse {
  let head: ParsedHead | undefined;
  let body = "";
  const reader = responseReader({
    head(received) {
      if (head !== undefined) throw new Error("two heads");
      head = received;
    },
    body(chunk) {
      if (head === undefined || chunk.length === 0) throw new Error("a chunk out of place");
      body += chunk.toString("latin1");
    },
  });
  reader.begin(method);
  let fault: string | undefined;
  try {
    for (const chunk of chunks) {
      const bytes = Buffer.from(chunk, "latin1");
      reader.read(bytes);
      // A connection reads into the same memory again.
      bytes.fill("!");
    }
    if (closed) reader.end();
  } catch (error) {
    if (!(error instanceof MalformedResponseError)) throw error;
    fault = error.message;
  }
  return { head, body, complete: reader.isComplete(), reusable: reader.isReusable(), fault };
}
